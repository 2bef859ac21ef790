//! Putting an execution on the queue.

use std::sync::Arc;

use badlambda_shared::id::ExecutionId;
use badlambda_shared::limits;
use badlambda_shared::message::Envelope;
use badlambda_shared::name::{FunctionName, VersionRef};
use badlambda_shared::queue::OutgoingMessage;
use badlambda_shared::store::{Condition, JSON};
use badlambda_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::App;
use crate::batch::SendError;
use crate::error::ApiError;
use crate::idempotency::Unsent;
use crate::manifest::to_json;

/// What is settled about an execution before it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: ExecutionId,
    pub(crate) version: u32,
    pub(crate) submitted_at: Timestamp,
}

/// Returns once the queue has the execution. A large input goes to the bucket first.
pub(crate) async fn send(
    app: &App,
    function: &FunctionName,
    ticket: &Ticket,
    input: Box<RawValue>,
) -> Result<(), ApiError> {
    let mut envelope = Envelope {
        function: function.clone(),
        version: Some(VersionRef::Number(ticket.version)),
        input: None,
        id: Some(ticket.id.clone()),
        submitted_at: Some(ticket.submitted_at),
        input_key: None,
    };
    if input.get().len() > limits::CLAIM_CHECK_BYTES {
        let key = app.store.keys().input(function, &ticket.id);
        let bytes = String::from(Box::<str>::from(input)).into_bytes();
        app.store.put(&key, bytes, JSON, Condition::Always).await?;
        envelope.input_key = Some(key);
    } else {
        envelope.input = Some(input);
    }
    let body = String::from_utf8(to_json(&envelope)?)
        .map_err(|error| ApiError::Internal(format!("an envelope is not UTF-8: {error}")))?;
    let message = OutgoingMessage { body: without_noncharacters(body), group_id: function.to_string() };
    Ok(app.batcher.send(message).await?)
}

/// Sends and notes it, even if the client goes away in between: he would come again, and it would be sent twice.
pub(crate) async fn send_claimed(
    app: Arc<App>,
    function: &FunctionName,
    ticket: Ticket,
    input: Box<RawValue>,
    unsent: Unsent,
) -> Result<Ticket, ApiError> {
    let function = function.clone();
    let (done, sent) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let outcome = send(&app, &function, &ticket, input).await;
        let is_sent = outcome.is_ok();
        // Who has gone away needs no answer.
        _ = done.send(outcome.map(|()| ticket));
        if is_sent {
            unsent.note_sent(&app).await;
        }
    });
    sent.await.map_err(|_| ApiError::Internal("a send with an Idempotency-Key did not end".to_owned()))?
}

/// SQS refuses a body with U+FFFE or U+FFFF. In JSON they stand in strings alone, where they can be escaped.
fn without_noncharacters(json: String) -> String {
    if !json.contains(['\u{fffe}', '\u{ffff}']) {
        return json;
    }
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

impl From<SendError> for ApiError {
    fn from(error: SendError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqs_refuses_is_escaped() {
        let body = without_noncharacters("[\"a\u{ffff}b\u{fffe}\"]".to_owned());
        assert_eq!(body, r#"["a\uffffb\ufffe"]"#);
        let same: Vec<String> = serde_json::from_str(&body).unwrap();
        assert_eq!(same, ["a\u{ffff}b\u{fffe}"]);
    }
}
