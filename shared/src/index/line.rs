//! A line of the index.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::execution::id::ExecutionId;
use crate::execution::record::{Record, url_of};
use crate::execution::{ErrorKind, ListedError, ListedExecution, Status, Usage};
use crate::function::name::FunctionName;
use crate::index::Hour;
use crate::limits;
use crate::timestamp::Timestamp;

/// What is listed of one execution. Times are milliseconds since 1970, which parse in a tenth of the time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub id: ExecutionId,
    /// The function's name.
    pub function: FunctionName,
    /// The version that ran, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// How it ended, or that it runs.
    pub status: Status,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ErrorKind>,
    /// When it was submitted.
    pub submitted_ms: i64,
    /// When the attempt that counts began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When it ended, or, if it runs, when that was noted.
    pub at_ms: i64,
    /// How many attempts there were.
    pub attempts: u32,
    /// What the attempt that counts used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The beginning of the error's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The result, if it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
}

/// Where a line stands in a list: the newest first. Lines of the same execution share their place.
pub type SortKey<'a> = (Reverse<i64>, &'a str);

impl Line {
    /// The line of an execution with this record.
    pub fn of(record: &Record) -> Self {
        let at = record.finished_at.or(record.started_at).unwrap_or(record.submitted_at);
        let error = record.error.as_ref();
        Self {
            id: record.id.clone(),
            function: record.function.clone(),
            version: record.version,
            status: record.status,
            kind: error.map(|error| error.kind),
            submitted_ms: record.submitted_at.unix_ms(),
            started_ms: record.started_at.map(Timestamp::unix_ms),
            at_ms: at.unix_ms(),
            attempts: record.attempts,
            usage: record.usage,
            message: error.map(|error| beginning(&error.message).to_owned()),
            result: record.result.clone().filter(|json| json.get().len() <= limits::LISTED_TEXT_BYTES),
        }
    }

    /// The hour that it is from.
    pub fn hour(&self) -> Hour {
        Hour::of(self.at_ms)
    }

    /// Where it stands in a list.
    pub fn sort_key(&self) -> (Reverse<i64>, String) {
        (Reverse(self.at_ms), self.id.as_str().to_owned())
    }
}

impl From<Line> for ListedExecution {
    fn from(line: Line) -> Self {
        let time = |unix_ms| Timestamp::from_unix_ms(unix_ms).unwrap_or(Timestamp::EPOCH);
        Self {
            url: url_of(&line.function, &line.id),
            id: line.id,
            function: line.function,
            version: line.version,
            status: line.status,
            submitted_at: time(line.submitted_ms),
            started_at: line.started_ms.map(time),
            finished_at: line.status.is_final().then(|| time(line.at_ms)),
            attempts: line.attempts,
            usage: line.usage,
            result: line.result,
            error: line.kind.map(|kind| ListedError { kind, message: line.message.unwrap_or_default() }),
        }
    }
}

fn beginning(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    &line[..line.floor_char_boundary(limits::LISTED_TEXT_BYTES)]
}
