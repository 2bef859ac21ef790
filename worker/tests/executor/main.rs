//! The executor, with the real zygote and real Ruby. `tests/container` runs this in containers too, where there is
//! nothing of the repository, and nothing can be written but in /tmp and /dev/shm.

mod fixture;
mod hostile;
mod ordinary;
mod processes;
mod runs;
mod state;
mod templates;
mod traces;
