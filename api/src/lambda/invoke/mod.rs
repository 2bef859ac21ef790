//! Invoke: the same way onto the queue as any other execution, under an id that is a UUID. `outcome` writes what came of it
//! as AWS Lambda does, `streamed` the same as events, `tail` its logs, `request` reads the headers, `beside` what goes with
//! the event.

mod asynchronous;
mod beside;
mod outcome;
mod request;
mod streamed;
mod tail;
mod take_on;

pub(super) use self::asynchronous::invoke_async;
pub(super) use self::take_on::{invoke, invoke_with_response_stream};
