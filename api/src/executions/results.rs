//! `GET …/executions/{id}/input`, `…/result` and `…/logs`: redirects to where S3 serves them, without credentials. What is
//! not stored there stands in the record. A page that may ask nobody but the API is given the thing itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use badlambda_shared::aws::store::{JSON, StoreError, TEXT};
use badlambda_shared::execution::Status;
use badlambda_shared::execution::record::Record;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::{App, AppState};
use crate::executions::poll;
use crate::http::error::ApiError;
use crate::http::request::{ExecutionPath, Query};
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema::AnyJson;

/// What is read of S3 at once, and held of each who reads.
const PIECE_BYTES: u64 = 256 * 1024;

/// The query of all three.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FetchQuery {
    /// With `false`, the answer is the thing itself, wherever it stands.
    #[serde(default = "redirects")]
    #[param(default = true)]
    redirect: bool,
}

fn redirects() -> bool {
    true
}

/// Fetch an execution's input.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/input", operation_id = "GetExecutionInput", tag = "executions",
    params(ExecutionPath, FetchQuery),
    responses(
        (status = 200, description = "The input, which stands in the record, or with `redirect=false`.", body = AnyJson),
        (status = 303, description = "The input is at this URL, without credentials.", headers(("Location"))),
        (status = 409, description = "No worker has told of it yet, or it is not finished."),
    ),
)]
pub(crate) async fn input(
    State(app): AppState,
    ExecutionPath(function, id): ExecutionPath,
    Query(query): Query<FetchQuery>,
) -> ApiResult {
    let execution = has_begun(poll::find(&app, function, id, Duration::ZERO).await?)?;
    match (execution.input, execution.input_key) {
        (Some(input), _) => Ok(ApiResponse::Json(input)),
        // It is stored with the result.
        (None, None) if !execution.status.is_final() => Err(ApiError::NotFinished),
        (None, key) => fetch(&app, key.ok_or(ApiError::NoInput)?, JSON, &query).await,
    }
}

/// Fetch an execution's result.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/result", operation_id = "GetExecutionResult", tag = "executions",
    params(ExecutionPath, FetchQuery),
    responses(
        (status = 200, description = "The result, which stands in the record alone, or with `redirect=false`.", body = AnyJson),
        (status = 303, description = "The result is at this URL, without credentials.", headers(("Location"))),
        (status = 409, description = "It is not finished."),
    ),
)]
pub(crate) async fn result(
    State(app): AppState,
    target: ExecutionPath,
    Query(query): Query<FetchQuery>,
) -> ApiResult {
    let finished = finished(&app, target).await?;
    match (finished.result_key, finished.result) {
        (None, Some(result)) => Ok(ApiResponse::Json(result)),
        (key, _) => fetch(&app, key.ok_or(ApiError::NoResult)?, JSON, &query).await,
    }
}

/// Fetch an execution's logs.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/logs", operation_id = "GetExecutionLogs", tag = "executions",
    params(ExecutionPath, FetchQuery),
    responses(
        (status = 200, description = "The logs, with `redirect=false`.", body = String, content_type = "text/plain"),
        (status = 303, description = "The logs are at this URL, without credentials.", headers(("Location"))),
        (status = 409, description = "It is not finished."),
    ),
)]
pub(crate) async fn logs(
    State(app): AppState,
    target: ExecutionPath,
    Query(query): Query<FetchQuery>,
) -> ApiResult {
    let finished = finished(&app, target).await?;
    fetch(&app, finished.logs_key.ok_or(ApiError::NoLogs)?, TEXT, &query).await
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

async fn fetch(app: &Arc<App>, key: String, content_type: &'static str, query: &FetchQuery) -> ApiResult {
    if query.redirect {
        return Ok(ApiResponse::Elsewhere(app.store.presign(&key).await?.url));
    }
    // While there is still a status to answer with: whether S3 has it.
    let first = app.store.get_part(&key, 0, PIECE_BYTES).await?;
    Ok(ApiResponse::Stored(content_type, stored(Arc::clone(app), key, first)))
}

/// An object piece by piece, of which the first is read already.
fn stored(app: Arc<App>, key: String, first: Vec<u8>) -> Body {
    let offset = first.len() as u64;
    let is_whole = offset < PIECE_BYTES;
    let rest = stream::try_unfold((offset, is_whole), move |(offset, is_at_end)| {
        let (app, key) = (Arc::clone(&app), key.clone());
        async move {
            if is_at_end {
                return Ok::<_, StoreError>(None);
            }
            let piece = app.store.get_part(&key, offset, PIECE_BYTES).await?;
            let bytes = piece.len() as u64;
            Ok(Some((Bytes::from(piece), (offset + bytes, bytes < PIECE_BYTES))))
        }
    });
    Body::from_stream(stream::once(async { Ok(Bytes::from(first)) }).chain(rest))
}
