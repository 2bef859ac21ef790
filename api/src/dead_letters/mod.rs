//! Dead letters: listed, shown, sent back to the queue, deleted.
//!
//! SQS has no way to read a message and leave it: whoever looks receives it, and so hides it from others until it is given
//! back. So a look goes on to its end in a task of its own, though its client may go away; and one request at a time looks,
//! since two at once would each see a part.

pub(crate) mod bulk;
mod look;
pub(crate) mod one;
mod query;
pub(crate) mod routes;
