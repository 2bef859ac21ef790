//! The part of this package that the worker shares: the protocol between the worker, its zygotes, templates and
//! cleaners, and the format of an execution's answer. The package's programs are `badlambda-zygote`, the warm Ruby
//! that executions are forked from, and `badlambda-cleaner`, which kills what an execution leaves running and empties
//! its scratch folder.

pub mod frame;
pub mod processes;
pub mod protocol;
pub mod report;
pub mod wire;
