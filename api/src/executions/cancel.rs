//! `DELETE …/executions/{id}`: cancels an execution, queued or running.
//!
//! The final record says so, as any other outcome would: a worker reads it before it runs something, and again every
//! few seconds while it does. So what is queued never runs, and what runs is ended soon after.

use axum::extract::State;
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::records::Recorded;
use badlambda_shared::execution::{Execution, Status};
use badlambda_shared::timestamp::Timestamp;

use crate::app::{App, AppState};
use crate::executions::poll::submitted_at;
use crate::http::error::ApiError;
use crate::http::request::ExecutionPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::metrics::CANCELS;

/// Cancel an execution, queued or running.
///
/// To cancel again what was cancelled is no error.
#[utoipa::path(
    delete, path = "/v1/functions/{function}/executions/{id}", operation_id = "CancelExecution", tag = "executions",
    params(ExecutionPath),
    responses(
        (status = 202, description = "It is cancelled. What runs is ended within some seconds.", body = Execution,
            headers(("Location"))),
        (status = 409, description = "It has finished."),
    ),
)]
pub(crate) async fn cancel(State(app): AppState, target: ExecutionPath) -> ApiResult {
    let ExecutionPath(function, id) = &target;
    let found = app.records.find(function, id).await?;
    let etag = found.as_ref().map(|found| found.etag.clone());
    let record = match found {
        Some(found) if found.record.status.is_final() => return answer(found.record),
        Some(found) => found.record,
        None => unseen(&app, &target).await?,
    };
    let cancelled = Record { status: Status::Cancelled, finished_at: Some(Timestamp::now()), ..record };
    match app.records.write(&cancelled, etag.as_deref()).await? {
        Recorded::Stored { .. } => {
            CANCELS.count([]);
            answer(cancelled)
        }
        Recorded::AlreadyFinal(other) => answer(*other),
    }
}

/// An execution that no worker has told of yet. One that was sent to the queue directly may be there or not: recording
/// that it is cancelled is right in both cases.
async fn unseen(app: &App, ExecutionPath(function, id): &ExecutionPath) -> Result<Record, ApiError> {
    let submitted_at = match submitted_at(function, id)? {
        Some(at) => at,
        None => {
            app.require_function(function).await?;
            Timestamp::now()
        }
    };
    Ok(Record::queued(id.clone(), function.clone(), None, submitted_at))
}

fn answer(record: Record) -> ApiResult {
    match record.status {
        Status::Cancelled => Ok(ApiResponse::Accepted(Box::new(record), None)),
        _ => Err(ApiError::AlreadyFinished),
    }
}
