//! `GET …/executions/{id}`: what became of an execution.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::execution::Execution;
use badlambda_shared::id::{ExecutionId, Origin};
use badlambda_shared::limits;
use badlambda_shared::name::FunctionName;
use badlambda_shared::record::Record;
use badlambda_shared::store::PresignedUrl;
use badlambda_shared::timestamp::Timestamp;
use tokio::time::Instant;

use crate::app::{App, AppState};
use crate::executions::expire::if_expired;
use crate::http::error::ApiError;
use crate::http::prefer;
use crate::http::request::ExecutionPath;
use crate::http::response::{ApiResponse, ApiResult};
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
    let origin = id.origin(&function);
    if origin == Origin::Forged {
        return Err(ApiError::ExecutionNotFound(function));
    }
    let submitted_at = match origin {
        Origin::Issued(at) => Some(at),
        Origin::Foreign | Origin::Forged => None,
    };
    let found = until_final(app, &function, &id, None, submitted_at, patience).await?;
    let record = match (found, origin) {
        (Some(record), _) if record.status.is_final() => return Ok(record),
        (Some(record), _) => record,
        (None, Origin::Issued(at)) => Record::queued(id, function, None, at),
        (None, Origin::Forged) => return Err(ApiError::ExecutionNotFound(function)),
        (None, Origin::Foreign) => return Err(ApiError::ExecutionNotSeen(function)),
    };
    if_expired(app, record, origin).await
}

/// The record, once it is final or `patience` is at an end, or the API stops. It is looked at when it is likely to be
/// final, as far as executions of this version, or else of this function, have shown. Where nothing tells when it was
/// submitted, it is looked at at once, and then as if it had been submitted just now. A delayed one is looked at when its
/// delay or `patience` is over, and as if it had been submitted then: nothing but a cancellation can end it before.
pub(crate) async fn until_final(
    app: &App,
    function: &FunctionName,
    id: &ExecutionId,
    version: Option<u32>,
    submitted_at: Option<Timestamp>,
    patience: Duration,
) -> Result<Option<Record>, ApiError> {
    let forecast = app.run_times.forecast(function, version);
    let waiting_since = Instant::now();
    let delayed_until = app.run_times.delayed_until(id);
    if let Some(delayed_until) = delayed_until {
        pause(app, delayed_until.remaining().min(patience)).await;
    }
    let submitted_at = delayed_until.or(submitted_at);
    let delay_over = Instant::now();
    let age_before = submitted_at.map_or(Duration::ZERO, Timestamp::age);
    let age = || age_before + delay_over.elapsed();
    let (mut has_waited, mut function_exists) = (false, false);
    let mut due = submitted_at.map_or(Duration::ZERO, |_| forecast.first_look(age()));
    loop {
        let left = patience.saturating_sub(waiting_since.elapsed());
        let delay = due.saturating_sub(age()).min(left);
        has_waited |= !delay.is_zero();
        pause(app, delay).await;
        let looked_at = age();
        let record = record(app, function, id).await?;
        app.run_times.note_look(age() - looked_at);
        if record.is_none() && !function_exists {
            // Anybody can compute an id that looks as if it had been issued.
            app.require_function(function).await?;
            function_exists = true;
        }
        let ended = record.as_ref().filter(|record| record.status.is_final());
        // What had ended before anybody waited may be old.
        if let Some(record) = ended.filter(|_| has_waited) {
            app.run_times.note_end(record);
        }
        if ended.is_some() || waiting_since.elapsed() >= patience || app.shutdown.soft.is_cancelled() {
            return Ok(record);
        }
        due = forecast.later_look(age());
    }
}

/// Waits, unless the API stops.
pub(crate) async fn pause(app: &App, duration: Duration) {
    tokio::select! {
        () = app.shutdown.soft.cancelled() => {}
        () = tokio::time::sleep(duration) => {}
    }
}

/// The record as it stands.
pub(crate) async fn record(
    app: &App,
    function: &FunctionName,
    id: &ExecutionId,
) -> Result<Option<Record>, ApiError> {
    Ok(app.records.find(function, id).await?.map(|found| found.record))
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
