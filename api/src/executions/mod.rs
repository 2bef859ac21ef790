//! Executions: taken on, put on the queue, polled, cancelled.

pub(crate) mod cancel;
mod expire;
mod idempotency;
pub(crate) mod list;
pub(crate) mod poll;
pub(crate) mod results;
pub(crate) mod run_times;
mod send;
pub(crate) mod submit;
mod ticket;
