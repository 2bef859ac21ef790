//! A delivery of a message that asks for a chunk, and how it ends.

use std::time::Duration;

use badlambda_shared::execution::ExecutionError;
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::map::ChunkRequest;

use crate::receive::delivery::Delivery;
use crate::steps::concurrency::NotAdmitted;

/// One receive of a message that asks for a chunk.
pub(crate) type ChunkDelivery = Delivery<ChunkRequest>;

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

impl From<NotAdmitted> for ChunkSettlement {
    fn from(NotAdmitted { after, because }: NotAdmitted) -> Self {
        Self::Retry { after, because }
    }
}
