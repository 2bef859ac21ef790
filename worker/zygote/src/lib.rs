//! The protocol between the worker, its zygotes and their templates, and the answers of executions: the part of
//! this package that the worker shares. The programs are `badlambda-zygote`, the warm Ruby that executions are
//! forked from, and `badlambda-cleaner`, which ends what an execution leaves behind.

pub mod frame;
pub mod processes;
pub mod protocol;
pub mod report;
pub mod wire;
