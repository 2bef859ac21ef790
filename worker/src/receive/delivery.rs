//! A delivery is one receive of a message, with all that belongs to it.

use badlambda_shared::aws::queue::Message;
use badlambda_shared::execution::history::AttemptHistory;
use badlambda_shared::execution::message::{BadMessage, ExecutionRequest};

use crate::receive::leases::Lease;
use crate::receive::prefetch::PrefetchPermit;

/// One receive of a message that asks for an execution, or, as `R`, for a chunk of a map.
#[derive(Debug)]
pub(crate) struct Delivery<R = ExecutionRequest> {
    pub(crate) message: Message,
    /// What the message asks for.
    pub(crate) request: Result<R, BadMessage>,
    /// The attempts before this one.
    pub(crate) history: AttemptHistory,
    /// Keeps the message from others.
    pub(crate) lease: Lease,
    /// Given up once the execution has ended, so that another message can be received. A chunk has none.
    pub(crate) permit: Option<PrefetchPermit>,
}

/// What is left of a delivery whose message is to be deleted or released. It may wait for that, so it holds no body.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) receipt_handle: String,
    pub(crate) lease: Lease,
}

impl<R> From<Delivery<R>> for Receipt {
    fn from(delivery: Delivery<R>) -> Self {
        Self { receipt_handle: delivery.message.receipt_handle, lease: delivery.lease }
    }
}
