//! `GET …/executions/{id}/result` and `…/logs`: redirects to where S3 serves them, without credentials. A result that is
//! not stored there stands in the record.

use std::time::Duration;

use axum::extract::State;
use badlambda_shared::record::Record;

use crate::app::{App, AppState};
use crate::executions::poll;
use crate::http::error::ApiError;
use crate::http::request::ExecutionPath;
use crate::http::response::{ApiResponse, ApiResult};

/// `GET /v1/functions/{function}/executions/{id}/result`
pub(crate) async fn result(State(app): AppState, target: ExecutionPath) -> ApiResult {
    let finished = finished(&app, target).await?;
    match (finished.result_key, finished.result) {
        (None, Some(result)) => Ok(ApiResponse::Result(result)),
        (key, _) => redirect(&app, key, ApiError::NoResult).await,
    }
}

/// `GET /v1/functions/{function}/executions/{id}/logs`
pub(crate) async fn logs(State(app): AppState, target: ExecutionPath) -> ApiResult {
    let finished = finished(&app, target).await?;
    redirect(&app, finished.logs_key, ApiError::NoLogs).await
}

async fn finished(app: &App, ExecutionPath(function, id): ExecutionPath) -> Result<Record, ApiError> {
    let execution = poll::find(app, function, id, Duration::ZERO).await?;
    if execution.status.is_final() { Ok(execution) } else { Err(ApiError::NotFinished) }
}

async fn redirect(app: &App, key: Option<String>, missing: ApiError) -> ApiResult {
    let key = key.ok_or(missing)?;
    Ok(ApiResponse::Elsewhere(app.store.presign(&key).await?.url))
}
