//! An execution's record: what a poller reads, and what stands in S3.

pub mod destinations;
pub mod enqueue;
pub mod failure;
pub mod history;
pub mod id;
pub mod invocation;
pub mod logs;
pub mod message;
pub mod record;
pub mod records;
pub mod result_encoding;
pub mod trace;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::execution::id::ExecutionId;
use crate::execution::result_encoding::ResultEncoding;
use crate::function::name::{FunctionName, Revision};
use crate::limits;
use crate::timestamp::Timestamp;

/// Where an execution stands. The last three are final and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted, and no worker has said that it runs.
    Queued,
    /// A worker runs it.
    Running,
    /// It returned a result.
    Succeeded,
    /// It ended without a result; `error` says why.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl Status {
    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why an execution has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Ruby raised; `type` is the class.
    Exception,
    /// The code is not Ruby.
    Syntax,
    /// The wall clock or the CPU time ran out.
    Timeout,
    /// The memory limit was reached.
    Memory,
    /// The scratch folder's limit was reached.
    Scratch,
    /// The result is larger than `max_result_bytes`.
    ResultTooLarge,
    /// The result can't be written as JSON.
    ResultNotJson,
    /// A signal, `exit!`, or nothing returned.
    Crash,
    /// The function or the version does not exist.
    NotFound,
    /// The message can never run.
    BadMessage,
    /// The attempts were used up without an answer.
    WorkerLost,
    /// It outlived the queue.
    Expired,
}

impl ErrorKind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exception => "exception",
            Self::Syntax => "syntax",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Scratch => "scratch",
            Self::ResultTooLarge => "result_too_large",
            Self::ResultNotJson => "result_not_json",
            Self::Crash => "crash",
            Self::NotFound => "not_found",
            Self::BadMessage => "bad_message",
            Self::WorkerLost => "worker_lost",
            Self::Expired => "expired",
        }
    }
}

/// What a failure's sentence tells people, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The process ended by itself, with this exit status.
    ExitStatus(i32),
    /// The process was ended by this signal, as `SIGKILL`.
    Signal(String),
    /// The function reached this limit, in the unit of its field in `config`.
    Limit(u64),
}

/// An execution's failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionError {
    /// Why there is no result.
    pub kind: ErrorKind,
    /// The Ruby class, where Ruby raised.
    #[serde(rename = "type")]
    pub class: Option<String>,
    /// One sentence about it.
    pub message: String,
    /// Where in the function's code it was raised, innermost first.
    pub backtrace: Vec<String>,
    /// How the process ended, or which limit was reached. Records of older workers do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl ExecutionError {
    /// A failure that no Ruby class stands for.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, class: None, message: message.into(), backtrace: Vec::new(), cause: None }
    }

    /// The same, with what the sentence tells, for programs.
    #[must_use]
    pub fn because(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The failure of an execution whose message the queue keeps for no longer than `retention`.
    pub fn expired(retention: Duration) -> Self {
        let days = retention.as_secs_f64() / Duration::from_secs(24 * 3600).as_secs_f64();
        let message =
            format!("no worker finished it within the {days:.1} days for which the queue keeps messages");
        Self::new(ErrorKind::Expired, message)
    }

    /// Cuts what function code said to what a record keeps.
    pub fn bounded(mut self) -> Self {
        let chars = limits::MAX_ERROR_MESSAGE_CHARS;
        truncate(&mut self.message, chars);
        if let Some(class) = &mut self.class {
            truncate(class, limits::MAX_BACKTRACE_LINE_CHARS);
        }
        self.backtrace.truncate(limits::MAX_BACKTRACE_LINES);
        for line in &mut self.backtrace {
            truncate(line, limits::MAX_BACKTRACE_LINE_CHARS);
        }
        self
    }
}

fn truncate(text: &mut String, chars: usize) {
    if let Some((end, _)) = text.char_indices().nth(chars) {
        text.truncate(end);
    }
}

/// What an attempt used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Wall clock, from the fork to the answer, in milliseconds.
    pub wall_ms: f64,
    /// User and system time of its processes, in milliseconds.
    pub cpu_ms: f64,
    /// The largest resident memory seen, in bytes; pages shared with the zygote count.
    pub max_rss_bytes: u64,
}

/// How the attempt was confined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Isolation {
    /// 0 (none, or not with a uid of its own) to 3.
    pub tier: u8,
    /// The layers that were in force.
    pub layers: Vec<String>,
}

/// An execution, as the API shows it. Its record, from which this is made, is a [`crate::execution::record::Record`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// Its id: the API's, the producer's, or SQS's `MessageId`.
    pub id: ExecutionId,
    /// The function's name.
    pub function: FunctionName,
    /// The version that ran, once that is known. What names a revision alone has none.
    pub version: Option<u32>,
    /// The revision that ran, once that is known.
    pub revision: Option<Revision>,
    /// Where it stands.
    pub status: Status,
    /// Where to poll it, relative to the API.
    pub url: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When the attempt that counts began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How many attempts there were.
    pub attempts: u32,
    /// What the attempt that counts used.
    pub usage: Option<Usage>,
    /// The input itself, where it is kept and small enough.
    #[schema(value_type = Value)]
    pub input: Option<Box<RawValue>>,
    /// The execution that this one repeats.
    pub replay_of: Option<ExecutionId>,
    /// The result itself, where it is small enough.
    #[schema(value_type = Value)]
    pub result: Option<Box<RawValue>>,
    /// Where the result can be fetched, whatever its size.
    pub result_url: Option<String>,
    /// The result's size as JSON.
    pub result_bytes: Option<u64>,
    /// How the result's JSON stands for bytes, where the function returned such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_encoding: Option<ResultEncoding>,
    /// The end of what it has logged until now. It is there only while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs_tail: Option<String>,
    /// Where the logs can be fetched, if there are any.
    pub logs_url: Option<String>,
    /// Whether more was logged than is kept.
    pub logs_truncated: bool,
    /// When the URLs stop working.
    pub urls_expire_at: Option<Timestamp>,
    /// How it was confined.
    pub isolation: Option<Isolation>,
    /// Why there is no result.
    pub error: Option<ExecutionError>,
}

/// An execution, as lists show it: what an [`Execution`] has of these fields, the result and the error's message only as
/// far as they are short.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "they are explained in `Execution`")]
pub struct ListedExecution {
    pub id: ExecutionId,
    pub function: FunctionName,
    pub version: Option<u32>,
    pub status: Status,
    pub url: String,
    pub submitted_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub attempts: u32,
    pub usage: Option<Usage>,
    /// Null where it is longer than 120 bytes.
    #[schema(value_type = Value)]
    pub result: Option<Box<RawValue>>,
    pub error: Option<ListedError>,
}

/// An execution's failure, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedError {
    /// Why there is no result.
    pub kind: ErrorKind,
    /// The beginning of the sentence about it.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for name in ["queued", "running", "succeeded", "failed", "cancelled"] {
            assert_eq!(serde_json::from_value::<Status>(name.into()).unwrap().name(), name);
        }
        for name in [
            "exception",
            "syntax",
            "timeout",
            "memory",
            "scratch",
            "result_too_large",
            "result_not_json",
            "crash",
            "not_found",
            "bad_message",
            "worker_lost",
            "expired",
        ] {
            assert_eq!(serde_json::from_value::<ErrorKind>(name.into()).unwrap().name(), name);
        }
    }

    #[test]
    fn a_hostile_error_is_cut() {
        let error = ExecutionError {
            kind: ErrorKind::Exception,
            class: Some("X".repeat(10_000)),
            message: "é".repeat(100_000),
            backtrace: vec!["b".repeat(10_000); 1_000],
            cause: None,
        };
        let bounded = error.bounded();
        assert_eq!(bounded.message.chars().count(), limits::MAX_ERROR_MESSAGE_CHARS);
        assert_eq!(bounded.backtrace.len(), limits::MAX_BACKTRACE_LINES);
        assert!(serde_json::to_string(&bounded).unwrap().len() < 60_000);
    }
}
