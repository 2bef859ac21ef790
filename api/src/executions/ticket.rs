//! What is settled about an execution before it is sent.

use badlambda_shared::id::ExecutionId;
use badlambda_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Id, version and time of an execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: ExecutionId,
    pub(crate) version: u32,
    pub(crate) submitted_at: Timestamp,
}
