//! The whole system, end to end: real processes, real sockets, real Ruby, real signals.

#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to run on")]

mod attempts;
mod bad_input;
mod bad_messages;
mod bad_ruby;
mod cancel;
mod chaos;
mod commands;
mod configuration;
mod dead_letters;
mod deployed;
mod deployment;
mod elsewhere;
mod examples;
mod fleet;
mod functions;
mod gems;
mod hostile_messages;
mod lifecycle;
mod operator;
mod outages;
mod pages;
mod permissions;
mod presigned;
mod producers;
#[path = "../programs.rs"]
mod programs;
mod protection;
mod readme;
mod records;
mod senders;
mod separate_processes;
mod services;
mod stacks;
mod template;
mod traces;
mod unprivileged;
mod watched;
