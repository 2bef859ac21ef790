//! The whole system, end to end: real processes, real sockets, real Ruby, real signals.

#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to run on")]

// It takes longest, and tests begin in the order of their names.
mod api_document;
mod commands;
#[path = "../conformance.rs"]
mod conformance;
mod console;
mod executions;
mod failures;
mod fixtures;
mod lambda;
mod maps;
mod messages;
mod operating;
#[path = "../programs.rs"]
mod programs;
