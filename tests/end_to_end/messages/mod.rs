//! Messages: who sends them, which are bad, and what becomes of those that nobody can run.

mod bad_messages;
mod dead_letters;
mod hostile_messages;
mod producers;
pub mod senders;
mod services;
