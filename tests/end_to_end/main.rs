//! The whole system, end to end: real processes, real sockets, real Ruby, real signals.

mod attempts;
mod bad_input;
mod bad_messages;
mod bad_ruby;
mod cancel;
mod chaos;
mod commands;
mod configuration;
mod dead_letters;
mod deployment;
mod examples;
mod fleet;
mod functions;
mod gems;
mod hostile_messages;
mod lifecycle;
mod outages;
mod presigned;
mod producers;
mod protection;
mod records;
mod senders;
mod separate_processes;
mod services;
mod traces;
mod unprivileged;
