//! Many dead letters on their way out: `POST /v1/dead-letters/redrive` and `DELETE /v1/dead-letters`.
//!
//! That takes as long as it takes, and its state is in the queue alone. So the answer is a stream of lines that tell how
//! far it is. A client stops it by closing the connection: it ends behind the message that is under way, and what was
//! only looked at is given back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use badlambda_shared::dead_letters::{DeadLetterCount, DeadLetterError, DeadLetterLine, Progress, Selection};
use badlambda_shared::limits;
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Interval;
use tokio_util::sync::DropGuard;
use utoipa::IntoParams;

use crate::app::{App, AppState};
use crate::dead_letters::look::in_turn;
use crate::dead_letters::query::selection;
use crate::http::error::ApiError;
use crate::http::request::Query;
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema;
use crate::tokens::Caller;

/// How often a line tells how far it is.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// The query of `POST /v1/dead-letters/redrive`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RedriveQuery {
    /// Those with this `kind`, or with this in their reason's sentence.
    #[param(schema_with = schema::reason)]
    reason: Option<String>,
    /// Those of this function.
    #[param(schema_with = schema::function_name)]
    function: Option<String>,
    /// How many in a second.
    #[param(schema_with = schema::redrives_per_second)]
    per_second: Option<u32>,
    /// Count them, and do nothing.
    #[param(example = true)]
    dry_run: Option<bool>,
}

/// The query of `DELETE /v1/dead-letters`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// Those with this `kind`, or with this in their reason's sentence.
    #[param(schema_with = schema::reason)]
    reason: Option<String>,
    /// Those of this function.
    #[param(schema_with = schema::function_name)]
    function: Option<String>,
    /// Count them, and do nothing.
    #[param(example = true)]
    dry_run: Option<bool>,
}

#[derive(Clone, Copy)]
enum Action {
    Redrive { per_second: u32 },
    Delete,
}

/// Send dead letters back to the queue.
///
/// All, or those of a reason or function. The answer is a line of JSON each second, the last one with `complete`. To stop
/// it, close the connection.
#[utoipa::path(
    post, path = "/v1/dead-letters/redrive", operation_id = "RedriveDeadLetters", tag = "dead letters",
    params(RedriveQuery),
    responses((status = 200, description = "How far it is, or how many it would be.", content(
        (DeadLetterCount = "application/json"), (String = "application/x-ndjson"),
    ))),
)]
pub(crate) async fn redrive(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<RedriveQuery>,
) -> ApiResult {
    let per_second = query.per_second.unwrap_or(limits::REDRIVES_PER_SECOND);
    if !(1..=limits::MAX_REDRIVES_PER_SECOND).contains(&per_second) {
        let most = limits::MAX_REDRIVES_PER_SECOND;
        return Err(ApiError::parameter("per_second", format!("it must be a whole number from 1 to {most}")));
    }
    let selection = selection(&caller, query.reason, query.function.as_deref())?;
    begin(&app, Action::Redrive { per_second }, selection, query.dry_run).await
}

/// Delete dead letters.
///
/// All, or those of a reason or function. The answer is a line of JSON each second, the last one with `complete`. To stop
/// it, close the connection.
#[utoipa::path(
    delete, path = "/v1/dead-letters", operation_id = "DeleteDeadLetters", tag = "dead letters",
    params(DeleteQuery),
    responses((status = 200, description = "How far it is, or how many it would be.", content(
        (DeadLetterCount = "application/json"), (String = "application/x-ndjson"),
    ))),
)]
pub(crate) async fn delete(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<DeleteQuery>,
) -> ApiResult {
    let selection = selection(&caller, query.reason, query.function.as_deref())?;
    begin(&app, Action::Delete, selection, query.dry_run).await
}

async fn begin(app: &Arc<App>, action: Action, selection: Selection, dry_run: Option<bool>) -> ApiResult {
    if dry_run == Some(true) {
        return count(app, action, selection).await;
    }
    // While there is still a status to answer with: whether the queue can be reached at all.
    let total = app.dead_letters.count().await?;
    let progress = Progress::stopped_by(app.shutdown.soft.child_token());
    let task = app.tasks.spawn(act(Arc::clone(app), action, selection, progress.clone()));
    let lines = Lines {
        action,
        total,
        _stopped_with_the_answer: progress.stop.clone().drop_guard(),
        progress,
        task,
        tick: tokio::time::interval(LINE_EVERY),
    };
    Ok(ApiResponse::Lines(Body::from_stream(stream::unfold(Some(lines), next_line))))
}

async fn act(
    app: Arc<App>,
    action: Action,
    selection: Selection,
    progress: Progress,
) -> Result<(), DeadLetterError> {
    match action {
        Action::Redrive { per_second } => {
            app.dead_letters.redrive(&selection, per_second, &progress).await.map(drop)
        }
        Action::Delete => app.dead_letters.purge(&selection, &progress).await.map(drop),
    }
}

/// How many it would be.
async fn count(app: &Arc<App>, action: Action, selection: Selection) -> ApiResult {
    let looked = in_turn(app, async move |app, progress| {
        let mut count = 0;
        let look = app.dead_letters.look(&selection, usize::MAX, &progress, |letter| {
            let is_left =
                matches!(action, Action::Redrive { .. }) && app.dead_letters.is_of_another_queue(&letter);
            count += u64::from(!is_left);
        });
        look.await.map(|()| count)
    })
    .await?;
    let (redriven, deleted) = action.done(looked.found);
    let count = DeadLetterCount { dry_run: true, redriven, deleted, complete: looked.is_complete };
    Ok(ApiResponse::Counted(json!(count)))
}

/// What is streamed, and what it is about.
struct Lines {
    action: Action,
    /// Messages in the queue when it began.
    total: u64,
    progress: Progress,
    task: JoinHandle<Result<(), DeadLetterError>>,
    tick: Interval,
    _stopped_with_the_answer: DropGuard,
}

/// A line each second, and a last one.
async fn next_line(lines: Option<Lines>) -> Option<(Result<Bytes, Infallible>, Option<Lines>)> {
    let mut lines = lines?;
    tokio::select! {
        biased;
        ended = &mut lines.task => Some((Ok(lines.last(ended)), None)),
        _ = lines.tick.tick() => Some((Ok(line(&lines.so_far())), Some(lines))),
    }
}

impl Lines {
    fn so_far(&self) -> DeadLetterLine {
        let counts = self.progress.counts();
        let (redriven, deleted) = self.action.done(counts.done);
        let left = self.total.saturating_sub(counts.looked_at);
        DeadLetterLine { complete: None, deleted, error: None, left, redriven, skipped: counts.skipped }
    }

    fn last(&self, ended: Result<Result<(), DeadLetterError>, JoinError>) -> Bytes {
        let failure = match ended {
            Ok(Ok(())) if self.progress.stop.is_cancelled() => Some(ApiError::Draining),
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.into()),
            Err(error) => Some(ApiError::Internal(error.to_string())),
        };
        let mut last = self.so_far();
        last.complete = Some(failure.is_none());
        match failure {
            // SQS's count of what there was is rough.
            None => last.left = 0,
            Some(error) => {
                if !matches!(error, ApiError::Draining) {
                    tracing::error!(%error, "dead letters were left");
                }
                last.error = Some(error.in_answer());
            }
        }
        line(&last)
    }
}

fn line(fields: &DeadLetterLine) -> Bytes {
    format!("{}\n", json!(fields)).into()
}

impl Action {
    /// What became of so many messages: they were sent back, or deleted.
    fn done(self, count: u64) -> (Option<u64>, Option<u64>) {
        match self {
            Self::Redrive { .. } => (Some(count), None),
            Self::Delete => (None, Some(count)),
        }
    }
}
