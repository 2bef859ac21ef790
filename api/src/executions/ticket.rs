//! What is settled about an execution before it is sent.

use badlambda_shared::id::ExecutionId;
use badlambda_shared::name::FunctionName;
use badlambda_shared::record::Record;
use badlambda_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Id, version and time of an execution, and which one it repeats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: ExecutionId,
    pub(crate) version: u32,
    pub(crate) submitted_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replay_of: Option<ExecutionId>,
}

impl Ticket {
    /// The execution as it is until a worker has told of it.
    pub(crate) fn queued(self, function: FunctionName) -> Record {
        let Self { id, version, submitted_at, replay_of } = self;
        Record { replay_of, ..Record::queued(id, function, Some(version), submitted_at) }
    }
}
