//! The executor, with the real zygote and real Ruby. `tests/container` runs this in containers too, where there is
//! nothing of the repository, and nothing can be written but in /tmp and /dev/shm.

#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to run on")]

mod fixture;
mod hostile;
mod lambda;
mod layers;
mod needs_root;
mod ordinary;
mod packages;
mod processes;
#[path = "../../../tests/programs.rs"]
mod programs;
mod runs;
mod state;
mod templates;
mod traces;
