//! `GET …/executions/{id}/events`: server-sent events of an execution: each change of its status, and its logs as they
//! come. The stream ends with the event that tells the final status.

mod position;
mod watched;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::logs::{as_text, whole_characters};
use badlambda_shared::execution::record::Record;
use badlambda_shared::process::metrics::Counted;
use futures::stream;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use utoipa::ToSchema;

pub(crate) use self::position::LAST_EVENT_ID;
use self::position::{Piece, Position};
pub(crate) use self::watched::Watched;
use self::watched::watch_record;
use crate::app::{App, AppState};
use crate::executions::poll;
use crate::http::error::ApiError;
use crate::http::request::ExecutionPath;
use crate::http::response::{ApiResponse, ApiResult};
use crate::metrics::WAITS;
use crate::schema::parameters::LastEventIdHeader;

/// Load balancers cut connections that are idle for 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The size of an event's piece of the logs, once all of them are stored.
const PIECE_BYTES: u64 = 64 * 1024;

/// An event, as a client of server-sent events reads it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is written field by field")]
pub(crate) struct ExecutionEvent {
    /// Where the listener is after this event: for `Last-Event-ID`.
    #[schema(pattern = "^[0-9]+\\.(none|queued|running|succeeded|failed|cancelled)\\.[0-9]+$")]
    id: String,
    #[schema(pattern = "^(status|logs)$")]
    event: String,
    /// JSON: the Execution, or `{"offset", "text"}`.
    data: String,
}

/// Listen to an execution.
///
/// `event: status` has the execution as its data, `event: logs` a piece of the logs. The final status comes last.
#[utoipa::path(
    get, path = "/v1/functions/{function}/executions/{id}/events", operation_id = "ListenToExecution", tag = "executions",
    params(ExecutionPath, LastEventIdHeader),
    responses(
        (status = 200, description = "Server-sent events.", body = ExecutionEvent, content_type = "text/event-stream"),
        (status = 204, description = "All was told: there will be no more events."),
    ),
)]
pub(crate) async fn events(
    State(app): AppState,
    ExecutionPath(function, id): ExecutionPath,
    headers: HeaderMap,
) -> ApiResult {
    let position = Position::of(&headers)?;
    // While there is still a status to answer with: whether there is such an execution.
    let record = poll::find(&app, function, id, Duration::ZERO).await?;
    if position.is_at_end_of(&record) {
        return Ok(ApiResponse::NothingMore);
    }
    let records = watch_record(&app, record);
    let listener = Listener { app, records, position, is_over: false, _counted: WAITS.count(1) };
    let events = stream::unfold(listener, Listener::next);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(ApiResponse::Events(Sse::new(events).keep_alive(keep_alive).into_response()))
}

/// One listener, between two events.
struct Listener {
    app: Arc<App>,
    records: watch::Receiver<Arc<Record>>,
    position: Position,
    is_over: bool,
    _counted: Counted,
}

impl Listener {
    /// The next event, once there is one. A stream that ends before the final status is to be taken up again by the client,
    /// with the id of the last event: the API stops, or S3 fails.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while !self.is_over {
            let record = Arc::clone(&self.records.borrow_and_update());
            match self.event_of(&record).await {
                Ok(Some(event)) => return Some((Ok(event), self)),
                Ok(None) => self.records.changed().await.ok()?,
                Err(error) => {
                    tracing::warn!(%error, execution = %record.id, "could not tell a listener more");
                    return None;
                }
            }
        }
        None
    }

    /// What the listener has not been told of this record, as the next event.
    async fn event_of(&mut self, record: &Record) -> Result<Option<Event>, ApiError> {
        self.position.go_to_attempt_of(record);
        if record.status.is_final() {
            return match self.stored_logs(record).await? {
                Some(piece) => self.logs_event(piece).map(Some),
                None => {
                    self.is_over = true;
                    self.status_event(record).await.map(Some)
                }
            };
        }
        if !self.position.has_told(record) {
            return self.status_event(record).await.map(Some);
        }
        self.position.next_logs(record).map(|piece| self.logs_event(piece)).transpose()
    }

    /// The next piece of the logs of an execution that has ended.
    async fn stored_logs(&mut self, record: &Record) -> Result<Option<Piece>, ApiError> {
        let Some(key) = &record.logs_key else { return Ok(None) };
        let piece = Box::pin(self.app.store.get_part(key, self.position.logs_end(), PIECE_BYTES)).await?;
        // A character that goes on behind the piece comes with the next.
        let is_last = (piece.len() as u64) < PIECE_BYTES;
        let end = if is_last { piece.len() } else { whole_characters(&piece).end };
        Ok((end > 0).then(|| self.position.tell_logs(as_text(&piece[..end]))))
    }

    async fn status_event(&mut self, record: &Record) -> Result<Event, ApiError> {
        self.position.tell_status(record);
        let execution = Box::pin(poll::with_fresh_urls(&self.app, record.clone())).await?;
        self.event("status", Execution::from(execution))
    }

    fn logs_event(&self, Piece { offset, text }: Piece) -> Result<Event, ApiError> {
        self.event("logs", json!({ "offset": offset, "text": text }))
    }

    fn event(&self, name: &str, data: impl Serialize) -> Result<Event, ApiError> {
        let event = Event::default().id(self.position.to_string()).event(name).json_data(data);
        event.map_err(|error| ApiError::Internal(error.to_string()))
    }
}
