//! The executor, with the real zygote and real Ruby.

mod fixture;
mod runs;
