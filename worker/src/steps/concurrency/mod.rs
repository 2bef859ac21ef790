//! Reserved concurrency: no more executions of a function run at once, over all workers, than it has. A worker takes a share
//! of them by a conditional write to S3 (`badlambda_shared::function::concurrency`), renews it while it uses it, and gives it back.
//!
//! - `admission` is what a message of such a function waits for before it is run.
//! - `share` is what this worker may run of one function, and who uses it. `state` decides when it is to be asked for,
//!   renewed or given back.
//! - `keep` does so: one task for each function.
//! - `pace` tells when a message that found no room is to come back.
//!
//! A function without reserved concurrency costs nothing: that it has none stands in its manifest.

mod admission;
mod keep;
mod pace;
mod share;
mod state;

pub(crate) use self::admission::{Admission, ChunkPermits, NotAdmitted};
pub(crate) use self::keep::Shares;
pub(crate) use self::share::Permit;
