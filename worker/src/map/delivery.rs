//! A delivery of a message that asks for a chunk, and how it ends.

use std::time::Duration;

use badlambda_shared::execution::ExecutionError;
use badlambda_shared::history::{AttemptHistory, GivenBack};
use badlambda_shared::map::ChunkRequest;
use badlambda_shared::message::BadMessage;
use badlambda_shared::queue::Message;

use crate::delivery::Receipt;
use crate::leases::Lease;

/// One receive of a message that asks for a chunk.
#[derive(Debug)]
pub(crate) struct ChunkDelivery {
    pub(crate) message: Message,
    /// What the message asks for.
    pub(crate) request: Result<ChunkRequest, BadMessage>,
    /// The attempts before this one.
    pub(crate) history: AttemptHistory,
    /// Keeps the message from others.
    pub(crate) lease: Lease,
}

/// What is to become of the message.
#[derive(Debug)]
pub(crate) enum ChunkSettlement {
    /// It is deleted: what came of each item is stored, or the map is cancelled.
    Done,
    /// It is given back, to be received again.
    Retry {
        /// How much later.
        after: Duration,
        /// Why.
        because: GivenBack,
    },
    /// It goes to the dead-letter queue.
    DeadLetter(ExecutionError),
}

impl From<ChunkDelivery> for Receipt {
    fn from(delivery: ChunkDelivery) -> Self {
        Self { receipt_handle: delivery.message.receipt_handle, lease: delivery.lease }
    }
}
