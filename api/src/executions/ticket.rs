//! What is settled about an execution before it is sent.

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::message::{ExecutionRequest, Input};
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::UNPUBLISHED;
use badlambda_shared::function::name::{FunctionName, Revision, VersionRef};
use badlambda_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Id, code and time of an execution, and which one it repeats. Of a batch, its executions have the rest in common, and
/// ids that are made of its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: ExecutionId,
    /// `None` for a one-shot execution, and for one of a revision that was named alone.
    pub(crate) version: Option<u32>,
    /// `None` where an older API settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<Revision>,
    pub(crate) submitted_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replay_of: Option<ExecutionId>,
}

impl Ticket {
    /// The version's number. A batch says of a revision that has none that it is number 0.
    fn number(&self) -> Option<u32> {
        self.version.filter(|version| *version != UNPUBLISHED)
    }

    /// What a worker is asked for.
    pub(crate) fn request(
        &self,
        function: &FunctionName,
        input: Box<RawValue>,
        trace: Trace,
    ) -> ExecutionRequest {
        ExecutionRequest {
            id: self.id.clone(),
            function: function.clone(),
            version: self.number().map(VersionRef::Number),
            revision: self.revision.clone(),
            input: Input::Inline(input),
            submitted_at: self.submitted_at,
            invocation: None,
            replay_of: self.replay_of.clone(),
            trace,
        }
    }

    /// The execution as it is until a worker has told of it.
    pub(crate) fn queued(self, function: FunctionName) -> Record {
        let Self { id, version, revision, submitted_at, replay_of } = self;
        Record { revision, replay_of, ..Record::queued(id, function, version, submitted_at) }
    }
}
