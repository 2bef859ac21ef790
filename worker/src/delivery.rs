//! A delivery is one receive of a message, with all that belongs to it.

use badlambda_shared::history::AttemptHistory;
use badlambda_shared::message::{BadMessage, ExecutionRequest};
use badlambda_shared::queue::Message;

use crate::leases::Lease;
use crate::prefetch::PrefetchPermit;

/// One receive of a message.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    /// What the message asks for.
    pub(crate) request: Result<ExecutionRequest, BadMessage>,
    /// The attempts before this one.
    pub(crate) history: AttemptHistory,
    /// Keeps the message from others.
    pub(crate) lease: Lease,
    /// Given up once the execution has ended, so that another message can be received.
    pub(crate) permit: Option<PrefetchPermit>,
}

/// What is left of a delivery whose message is to be deleted or released. It may wait for that, so it holds no body.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) receipt_handle: String,
    pub(crate) lease: Lease,
}

impl From<Delivery> for Receipt {
    fn from(delivery: Delivery) -> Self {
        Self { receipt_handle: delivery.message.receipt_handle, lease: delivery.lease }
    }
}
