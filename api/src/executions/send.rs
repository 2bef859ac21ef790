//! Putting an execution on the queue.

use std::sync::Arc;

use badlambda_shared::enqueue::{EnqueueError, message_for};
use badlambda_shared::message::{ExecutionRequest, Input};
use badlambda_shared::name::{FunctionName, VersionRef};
use badlambda_shared::queue::SendError;
use badlambda_shared::trace::Trace;
use serde_json::value::RawValue;

use crate::app::App;
use crate::executions::idempotency::Unsent;
use crate::executions::ticket::Ticket;
use crate::http::error::ApiError;

/// Returns once the queue has the execution. A large input goes to the bucket first.
pub(crate) async fn send(
    app: &App,
    function: &FunctionName,
    ticket: &Ticket,
    input: Box<RawValue>,
    trace: Trace,
) -> Result<(), ApiError> {
    let request = ExecutionRequest {
        id: ticket.id.clone(),
        function: function.clone(),
        version: Some(VersionRef::Number(ticket.version)),
        input: Input::Inline(input),
        submitted_at: ticket.submitted_at,
        replay_of: ticket.replay_of.clone(),
        trace,
    };
    let message = message_for(&app.store, request).await?;
    Ok(app.batcher.send(message).await?)
}

/// Sends and notes it, even if the client goes away in between: he would come again, and it would be sent twice.
pub(crate) async fn send_claimed(
    app: Arc<App>,
    function: &FunctionName,
    ticket: Ticket,
    input: Box<RawValue>,
    trace: Trace,
    unsent: Unsent,
) -> Result<Ticket, ApiError> {
    let function = function.clone();
    let (done, sent) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let outcome = send(&app, &function, &ticket, input, trace).await;
        let is_sent = outcome.is_ok();
        // Who has gone away needs no answer.
        _ = done.send(outcome.map(|()| ticket));
        if is_sent {
            unsent.note_sent(&app).await;
        }
    });
    sent.await.map_err(|_| ApiError::Internal("a send with an Idempotency-Key did not end".to_owned()))?
}

impl From<SendError> for ApiError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotAccepted(reason) => Self::Unavailable(reason),
            SendError::Refused(reason) => Self::Internal(reason),
        }
    }
}

impl From<EnqueueError> for ApiError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Store(error) => error.into(),
            EnqueueError::Json(error) => Self::Internal(format!("an envelope can't be written: {error}")),
        }
    }
}
