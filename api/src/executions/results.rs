//! `GET …/executions/{id}/input`, `…/result` and `…/logs`: redirects to where S3 serves them, without credentials. What is
//! not stored there stands in the record.

use std::time::Duration;

use axum::extract::State;
use badlambda_shared::execution::Status;
use badlambda_shared::record::Record;

use crate::app::{App, AppState};
use crate::executions::poll;
use crate::http::error::ApiError;
use crate::http::request::ExecutionPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema::AnyJson;

/// Fetch an execution's input.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/input", operation_id = "GetExecutionInput", tag = "executions",
    params(ExecutionPath),
    responses(
        (status = 200, description = "The input.", body = AnyJson),
        (status = 303, description = "The input is at this URL, without credentials.", headers(("Location"))),
        (status = 409, description = "No worker has told of it yet, or it is not finished."),
    ),
)]
pub(crate) async fn input(State(app): AppState, ExecutionPath(function, id): ExecutionPath) -> ApiResult {
    let execution = has_begun(poll::find(&app, function, id, Duration::ZERO).await?)?;
    match (execution.input, execution.input_key) {
        (Some(input), _) => Ok(ApiResponse::Json(input)),
        // It is stored with the result.
        (None, None) if !execution.status.is_final() => Err(ApiError::NotFinished),
        (None, key) => redirect(&app, key, ApiError::NoInput).await,
    }
}

/// Fetch an execution's result.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/result", operation_id = "GetExecutionResult", tag = "executions",
    params(ExecutionPath),
    responses(
        (status = 200, description = "The result, which stands in the record alone.", body = AnyJson),
        (status = 303, description = "The result is at this URL, without credentials.", headers(("Location"))),
        (status = 409, description = "It is not finished."),
    ),
)]
pub(crate) async fn result(State(app): AppState, target: ExecutionPath) -> ApiResult {
    let finished = finished(&app, target).await?;
    match (finished.result_key, finished.result) {
        (None, Some(result)) => Ok(ApiResponse::Json(result)),
        (key, _) => redirect(&app, key, ApiError::NoResult).await,
    }
}

/// Fetch an execution's logs.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/logs", operation_id = "GetExecutionLogs", tag = "executions",
    params(ExecutionPath),
    responses(
        (status = 303, description = "The logs are at this URL, without credentials.", headers(("Location"))),
        (status = 409, description = "It is not finished."),
    ),
)]
pub(crate) async fn logs(State(app): AppState, target: ExecutionPath) -> ApiResult {
    let finished = finished(&app, target).await?;
    redirect(&app, finished.logs_key, ApiError::NoLogs).await
}

/// The execution, unless it is queued: then its input stands in its message alone.
pub(crate) fn has_begun(execution: Record) -> Result<Record, ApiError> {
    match execution.status {
        Status::Queued => Err(ApiError::NotStarted),
        _ => Ok(execution),
    }
}

async fn finished(app: &App, ExecutionPath(function, id): ExecutionPath) -> Result<Record, ApiError> {
    let execution = poll::find(app, function, id, Duration::ZERO).await?;
    if execution.status.is_final() { Ok(execution) } else { Err(ApiError::NotFinished) }
}

async fn redirect(app: &App, key: Option<String>, missing: ApiError) -> ApiResult {
    let key = key.ok_or(missing)?;
    Ok(ApiResponse::Elsewhere(app.store.presign(&key).await?.url))
}
