//! Dead letters as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::execution::id::ExecutionId;
use crate::function::name::FunctionName;
use crate::problem::ProblemInAnswer;
use crate::timestamp::Timestamp;

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownDeadLetter {
    /// Its id, which is the message's.
    pub id: String,
    /// Why it is there: a sentence.
    pub reason: String,
    /// The kind of its execution's error; null where SQS itself gave it up.
    pub kind: Option<String>,
    /// The function that it asked for; null where it can't be read.
    pub function: Option<FunctionName>,
    /// The execution that it asked for; null where it can't be read.
    pub execution: Option<ExecutionId>,
    /// When it came there, or, where SQS moved it, when it was first sent.
    pub received_at: Timestamp,
    /// The message's body; null in a list where it is long.
    pub body: Option<String>,
}

/// A dead letter that is in the queue again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedrivenDeadLetter {
    /// Its id as a dead letter.
    pub id: String,
    /// The function that it asks for; null where it can't be read.
    pub function: Option<FunctionName>,
    /// The execution as which it runs; null where it can't be read.
    pub execution: Option<ExecutionId>,
    /// Where to poll that.
    pub url: Option<String>,
}

/// How many dead letters it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterCount {
    /// Always true: nothing was done.
    pub dry_run: bool,
    /// Those that would be sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redriven: Option<u64>,
    /// Those that would be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
    /// Whether there was time to look at all.
    pub complete: bool,
}

/// How far it is, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterLine {
    /// In the last line: whether there is nothing left to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// Those that were deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
    /// Why it is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ProblemInAnswer>,
    /// Messages that were not looked at.
    pub left: u64,
    /// Those that were sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redriven: Option<u64>,
    /// Those of another queue.
    pub skipped: u64,
}
