//! What came of an execution, as the answer of an Invoke.

use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use badlambda_shared::execution::failure::FailureBody;
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::result_encoding::ResultEncoding;
use badlambda_shared::execution::{ErrorKind, Status};
use badlambda_shared::function::Version;
use badlambda_shared::limits;

use super::tail;
use crate::app::App;
use crate::http::error::ApiError;
use crate::lambda::errors::WireError;
use crate::lambda::names::LATEST;
use crate::lambda::response::{Answer, WireResult};

pub(super) const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
/// What every failure of function code is called.
pub(super) const UNHANDLED: &str = "Unhandled";
pub(super) const BYTES: &str = "application/octet-stream";
pub(super) const JSON: &str = "application/json";

/// What an invocation came to.
pub(super) struct Invoked {
    /// As AWS names it: a number, or `$LATEST`.
    pub(super) executed_version: String,
    /// The end of the logs in base64, where it was asked for.
    pub(super) log_result: Option<String>,
    pub(super) content_type: &'static str,
    /// What the function returned, or what its failure is told as.
    pub(super) payload: Vec<u8>,
    /// Whether it is a failure's.
    pub(super) failed: bool,
}

impl Invoked {
    /// What came of the execution that this is the final record of.
    pub(super) async fn of(
        app: &App,
        version: &Version,
        record: Record,
        wants_logs: bool,
    ) -> Result<Self, WireError> {
        let executed_version =
            version.number().map_or_else(|| LATEST.to_owned(), |number| number.to_string());
        let log_result = match wants_logs {
            true => Some(tail::of(app, version, &executed_version, &record).await?),
            false => None,
        };
        let failed = record.status != Status::Succeeded;
        let content_type = if record.result_encoding.is_some() { BYTES } else { JSON };
        let payload = if failed { failure(&record)? } else { result(app, record).await? };
        Ok(Self { executed_version, log_result, content_type, payload, failed })
    }

    /// The answer of an Invoke.
    pub(super) fn into_answer(self, mut headers: HeaderMap) -> WireResult {
        let mut set = |name: HeaderName, value: &str| {
            headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        };
        set(CONTENT_TYPE, self.content_type);
        set(EXECUTED_VERSION, &self.executed_version);
        if let Some(logs) = &self.log_result {
            set(LOG_RESULT, logs);
        }
        if self.failed {
            set(FUNCTION_ERROR, UNHANDLED);
        }
        Ok(Answer::Invoked(headers, self.payload))
    }
}

/// What a caller is told of a failure of function code. Where the code was never run to an end, that is ours.
fn failure(record: &Record) -> Result<Vec<u8>, WireError> {
    let never_ran = record.error.as_ref().filter(|error| !is_of_function(error.kind));
    if let Some(error) = never_ran {
        let reason = format!("the execution {} was not run to an end: {}", record.id, error.message);
        return Err(ApiError::Internal(reason).into());
    }
    serde_json::to_vec(&FailureBody::of(record))
        .map_err(|error| ApiError::Internal(format!("the failure of {}: {error}", record.id)).into())
}

/// Whether function code failed, and not whoever should have run it.
fn is_of_function(kind: ErrorKind) -> bool {
    use ErrorKind::{BadMessage, Expired, NotFound, WorkerLost};
    !matches!(kind, WorkerLost | Expired | BadMessage | NotFound)
}

/// The result's JSON, or the bytes that it stands for.
async fn result(app: &App, record: Record) -> Result<Vec<u8>, WireError> {
    let missing = || ApiError::Internal(format!("the result of {} is gone", record.id));
    let json = match (&record.result, &record.result_key) {
        (Some(result), _) => result.get().as_bytes().to_vec(),
        (None, Some(key)) => {
            let most = ResultEncoding::most_json_bytes(*limits::MAX_RESULT_BYTES.range.end());
            app.store.get(key, most).await?.ok_or_else(missing)?.bytes
        }
        (None, None) => return Err(missing().into()),
    };
    let Some(encoding) = record.result_encoding else { return Ok(json) };
    let damaged = || ApiError::Internal(format!("the result of {} is not what its record says", record.id));
    Ok(encoding.decode(&json).ok_or_else(damaged)?)
}
