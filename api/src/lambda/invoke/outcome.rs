//! What came of an execution, as the answer of an Invoke.

use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use badlambda_shared::execution::{ErrorKind, Status};
use badlambda_shared::failure::FailureBody;
use badlambda_shared::function::Version;
use badlambda_shared::limits;
use badlambda_shared::record::Record;

use super::tail;
use crate::app::App;
use crate::http::error::ApiError;
use crate::lambda::errors::WireError;
use crate::lambda::names::LATEST;
use crate::lambda::response::{Answer, WireResult};

const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// Answers what came of the execution that this is the final record of.
pub(super) async fn answer(
    app: &App,
    version: &Version,
    record: Record,
    wants_logs: bool,
    mut headers: HeaderMap,
) -> WireResult {
    let number = version.number().map_or_else(|| LATEST.to_owned(), |number| number.to_string());
    let mut set = |name: HeaderName, value: &str| {
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    };
    set(CONTENT_TYPE, "application/json");
    set(EXECUTED_VERSION, &number);
    if wants_logs {
        set(LOG_RESULT, &tail::of(app, version, &number, &record).await?);
    }
    if record.status == Status::Succeeded {
        return Ok(Answer::Invoked(headers, result(app, record).await?));
    }
    let never_ran = record.error.as_ref().filter(|error| !is_of_function(error.kind));
    if let Some(error) = never_ran {
        let reason = format!("the execution {} was not run to an end: {}", record.id, error.message);
        return Err(ApiError::Internal(reason).into());
    }
    set(FUNCTION_ERROR, "Unhandled");
    let body = serde_json::to_vec(&FailureBody::of(&record))
        .map_err(|error| ApiError::Internal(format!("the failure of {}: {error}", record.id)))?;
    Ok(Answer::Invoked(headers, body))
}

/// Whether function code failed, and not whoever should have run it.
fn is_of_function(kind: ErrorKind) -> bool {
    use ErrorKind::{BadMessage, Expired, NotFound, WorkerLost};
    !matches!(kind, WorkerLost | Expired | BadMessage | NotFound)
}

/// The result's JSON.
async fn result(app: &App, record: Record) -> Result<Vec<u8>, WireError> {
    if let Some(result) = record.result {
        return Ok(result.get().as_bytes().to_vec());
    }
    let most = *limits::MAX_RESULT_BYTES.range.end();
    let missing = || ApiError::Internal(format!("the result of {} is gone", record.id));
    let key = record.result_key.as_deref().ok_or_else(missing)?;
    let object = app.store.get(key, most).await?.ok_or_else(missing)?;
    Ok(object.bytes)
}
