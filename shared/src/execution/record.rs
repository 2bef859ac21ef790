//! What is stored of an execution. The API shows an [`Execution`] made of it, so that what only the fleet needs can't
//! get out.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::execution::id::ExecutionId;
use crate::execution::result_encoding::ResultEncoding;
use crate::execution::{Execution, ExecutionError, Isolation, Status, Usage};
use crate::function::name::{FunctionName, Revision};
use crate::timestamp::Timestamp;

/// An execution's record: the object `record.json`. Its fields are those of [`Execution`], and at the end what only
/// the fleet needs.
/// Without `input`, it does not hold the input: `null` is one, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they are explained in `Execution`")]
pub struct Record {
    pub id: ExecutionId,
    pub function: FunctionName,
    pub version: Option<u32>,
    pub revision: Option<Revision>,
    pub status: Status,
    pub url: String,
    pub submitted_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub attempts: u32,
    pub usage: Option<Usage>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
    pub replay_of: Option<ExecutionId>,
    pub result: Option<Box<RawValue>>,
    pub result_url: Option<String>,
    pub result_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_encoding: Option<ResultEncoding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs_tail: Option<String>,
    pub logs_url: Option<String>,
    pub logs_truncated: bool,
    pub urls_expire_at: Option<Timestamp>,
    pub isolation: Option<Isolation>,
    pub error: Option<ExecutionError>,
    /// The S3 key of an input that is kept and too large for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_key: Option<String>,
    /// The S3 key of the result, to sign its URL again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_key: Option<String>,
    /// The S3 key of the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs_key: Option<String>,
    /// Where `logs_tail` ends in the logs, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs_bytes: Option<u64>,
}

/// Whatever JSON is there, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

impl Record {
    /// The record of an execution that waits in the queue. It is not stored: no record means `queued`.
    pub fn queued(
        id: ExecutionId,
        function: FunctionName,
        version: Option<u32>,
        submitted_at: Timestamp,
    ) -> Self {
        Self {
            url: url_of(&function, &id),
            id,
            function,
            version,
            revision: None,
            status: Status::Queued,
            submitted_at,
            started_at: None,
            finished_at: None,
            attempts: 0,
            usage: None,
            input: None,
            replay_of: None,
            result: None,
            result_url: None,
            result_bytes: None,
            result_encoding: None,
            logs_tail: None,
            logs_url: None,
            logs_truncated: false,
            urls_expire_at: None,
            isolation: None,
            error: None,
            input_key: None,
            result_key: None,
            logs_key: None,
            logs_bytes: None,
        }
    }

    /// The same, ended now by this failure.
    pub fn failed(self, error: ExecutionError) -> Self {
        let (status, finished_at) = (Status::Failed, Some(Timestamp::now()));
        Self { status, finished_at, error: Some(error), ..self }
    }
}

/// Where an execution is polled, relative to the API.
pub fn url_of(function: &FunctionName, id: &ExecutionId) -> String {
    format!("/v1/functions/{function}/executions/{id}")
}

impl From<Record> for Execution {
    fn from(record: Record) -> Self {
        Self {
            id: record.id,
            function: record.function,
            version: record.version,
            revision: record.revision,
            status: record.status,
            url: record.url,
            submitted_at: record.submitted_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            attempts: record.attempts,
            usage: record.usage,
            input: record.input,
            replay_of: record.replay_of,
            result: record.result,
            result_url: record.result_url,
            result_bytes: record.result_bytes,
            result_encoding: record.result_encoding,
            // A final record may be made of one that was not.
            logs_tail: record.logs_tail.filter(|_| record.status == Status::Running),
            logs_url: record.logs_url,
            logs_truncated: record.logs_truncated,
            urls_expire_at: record.urls_expire_at,
            isolation: record.isolation,
            error: record.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(version: Option<u32>) -> Record {
        let at = Timestamp::from_unix_ms(0).unwrap();
        Record::queued("m-1".parse().unwrap(), "hello".parse().unwrap(), version, at)
    }

    #[test]
    fn an_execution_shows_every_field_of_the_contract_and_no_key() {
        let [input_key, result_key, logs_key] = ["i", "r", "l"].map(|key| Some(key.to_owned()));
        let shown = Execution::from(Record { input_key, result_key, logs_key, ..queued(Some(3)) });
        let expected = serde_json::json!({
            "id": "m-1", "function": "hello", "version": 3, "revision": null, "status": "queued",
            "url": "/v1/functions/hello/executions/m-1",
            "submitted_at": "1970-01-01T00:00:00.000Z", "started_at": null, "finished_at": null,
            "attempts": 0, "usage": null, "input": null, "replay_of": null, "result": null, "result_url": null, "result_bytes": null,
            "logs_url": null, "logs_truncated": false, "urls_expire_at": null, "isolation": null,
            "error": null
        });
        assert_eq!(serde_json::to_value(&shown).unwrap(), expected);
    }

    #[test]
    fn a_result_is_kept_to_the_letter() {
        let digits = r#"{"n":123456789012345678901234567890.10}"#;
        let result = RawValue::from_string(digits.to_owned()).ok();
        let stored = serde_json::to_string(&Record { result, ..queued(None) }).unwrap();
        let read: Record = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.result.unwrap().get(), digits);
    }

    #[test]
    fn an_input_of_null_is_not_an_input_that_is_not_kept() {
        for (input, expected) in [(Some(RawValue::NULL.to_owned()), Some("null")), (None, None)] {
            let stored = serde_json::to_string(&Record { input, ..queued(None) }).unwrap();
            let read: Record = serde_json::from_str(&stored).unwrap();
            assert_eq!(read.input.as_deref().map(RawValue::get), expected, "{stored}");
        }
    }
}
