//! `GET …/executions/{id}`: what became of an execution.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::aws::store::PresignedUrl;
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::id::{ExecutionId, Origin};
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use tokio::time::Instant;

use crate::app::{App, AppState};
use crate::executions::expire::if_expired;
use crate::executions::looks::Looks;
use crate::http::error::ApiError;
use crate::http::prefer;
use crate::http::request::ExecutionPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::metrics::WAITS;
use crate::schema::parameters::PreferHeader;

/// Show an execution, or wait for it.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}", operation_id = "GetExecution", tag = "executions",
    params(ExecutionPath, PreferHeader),
    responses((status = 200, description = "The execution as it stands.", body = Execution,
        headers(("Retry-After"), ("Preference-Applied")))),
)]
pub(crate) async fn poll(
    State(app): AppState,
    ExecutionPath(function, id): ExecutionPath,
    headers: HeaderMap,
) -> ApiResult {
    let wait = prefer::wait(&headers);
    let patience = wait.map_or(Duration::ZERO, prefer::Wait::duration);
    let execution = find(&app, function, id, patience).await?;
    Ok(ApiResponse::Polled(Box::new(with_fresh_urls(&app, execution).await?), wait))
}

/// The execution: its record, finished within `patience` if it can be, or that it is queued.
pub(crate) async fn find(
    app: &App,
    function: FunctionName,
    id: ExecutionId,
    patience: Duration,
) -> Result<Record, ApiError> {
    let submitted_at = submitted_at(&function, &id)?;
    let found = until_final(app, &function, &id, None, submitted_at, patience).await?;
    as_it_stands(app, function, id, submitted_at, found).await
}

/// When the execution was submitted, if its id tells.
pub(crate) fn submitted_at(function: &FunctionName, id: &ExecutionId) -> Result<Option<Timestamp>, ApiError> {
    match id.origin(function) {
        Origin::Issued(at) => Ok(Some(at)),
        Origin::Foreign => Ok(None),
        Origin::Forged => Err(ApiError::ExecutionNotFound(function.clone())),
    }
}

/// The execution, of which this record was found: queued where there is none, expired where the queue can't have its
/// message any more. `submitted_at` is what [`submitted_at`] tells.
pub(crate) async fn as_it_stands(
    app: &App,
    function: FunctionName,
    id: ExecutionId,
    submitted_at: Option<Timestamp>,
    found: Option<Record>,
) -> Result<Record, ApiError> {
    let record = match (found, submitted_at) {
        (Some(record), _) if record.status.is_final() => return Ok(record),
        (Some(record), _) => record,
        (None, Some(at)) => Record::queued(id, function, None, at),
        (None, None) => return Err(ApiError::ExecutionNotSeen(function)),
    };
    if_expired(app, record, submitted_at).await
}

/// The record, once it is final or `patience` is at an end, or the API stops.
pub(crate) async fn until_final(
    app: &App,
    function: &FunctionName,
    id: &ExecutionId,
    version: Option<u32>,
    submitted_at: Option<Timestamp>,
    patience: Duration,
) -> Result<Option<Record>, ApiError> {
    let _counted = (!patience.is_zero()).then(|| WAITS.count(1));
    let waiting_since = Instant::now();
    let mut looks = Looks::begin(app, function, id, version, submitted_at, patience).await;
    loop {
        let record = looks.next(patience.saturating_sub(waiting_since.elapsed())).await?;
        let has_ended = record.as_ref().is_some_and(|record| record.status.is_final());
        if has_ended || waiting_since.elapsed() >= patience || app.shutdown.soft.is_cancelled() {
            return Ok(record);
        }
    }
}

/// The execution with URLs that work for a while: signed again where the record's are about to end.
pub(crate) async fn with_fresh_urls(app: &App, mut record: Record) -> Result<Record, ApiError> {
    let is_fresh = |at: Timestamp| at.remaining() >= limits::RESIGN_BELOW;
    if record.urls_expire_at.is_some_and(is_fresh) {
        return Ok(record);
    }
    let result = presign(app, record.result_key.as_deref()).await?;
    let logs = presign(app, record.logs_key.as_deref()).await?;
    let expiry = [&result, &logs].into_iter().flatten().map(|url| url.expires_at).min();
    if expiry.is_some() {
        record.result_url = result.map(|presigned| presigned.url);
        record.logs_url = logs.map(|presigned| presigned.url);
        record.urls_expire_at = expiry;
    }
    Ok(record)
}

async fn presign(app: &App, key: Option<&str>) -> Result<Option<PresignedUrl>, ApiError> {
    match key {
        Some(key) => Ok(Some(app.store.presign(key).await?)),
        None => Ok(None),
    }
}
