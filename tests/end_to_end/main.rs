//! The whole system, end to end: real processes, real sockets, real Ruby, real signals.

mod bad_input;
mod bad_messages;
mod bad_ruby;
mod commands;
mod configuration;
mod examples;
mod fleet;
mod functions;
mod gems;
mod lifecycle;
mod presigned;
mod producers;
mod separate_processes;
mod unprivileged;
