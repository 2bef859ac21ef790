//! Executions: taken on, put on the queue, polled, listened to, cancelled, replayed.

pub(crate) mod accept;
pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod expire;
pub(crate) mod idempotency;
pub(crate) mod list;
pub(crate) mod looks;
pub(crate) mod poll;
pub(crate) mod replay;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod run_times;
mod send;
pub(crate) mod submit;
pub(crate) mod ticket;
