//! Putting an execution on the queue.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::aws::queue::{OutgoingMessage, SendError};
use badlambda_shared::execution::enqueue::{EnqueueError, message_for};
use badlambda_shared::execution::message::ExecutionRequest;
use badlambda_shared::process::metrics::function_label;

use crate::app::App;
use crate::executions::idempotency::Unsent;
use crate::http::error::ApiError;
use crate::metrics::SUBMITS;

/// Returns once the queue has the execution, which no worker is given before `delay` has passed. A large input goes to
/// the bucket first.
pub(crate) async fn send(app: &App, request: ExecutionRequest, delay: Duration) -> Result<(), ApiError> {
    let function = function_label(&request.function);
    let message = message_for(&app.store, request).await?;
    app.batcher.send(OutgoingMessage { delay, ..message }).await?;
    SUBMITS.count([function]);
    Ok(())
}

/// Sends and notes it, even if the client goes away in between: he would come again, and it would be sent twice.
pub(crate) async fn send_claimed(
    app: Arc<App>,
    request: ExecutionRequest,
    delay: Duration,
    unsent: Unsent,
) -> Result<(), ApiError> {
    let (done, sent) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let outcome = send(&app, request, delay).await;
        let is_sent = outcome.is_ok();
        // Who has gone away needs no answer.
        _ = done.send(outcome);
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
