//! Making the message that asks for an execution.

use std::time::Duration;

use crate::aws::queue::OutgoingMessage;
use crate::aws::store::{Condition, JSON, Store, StoreError};
use crate::execution::history::AttemptHistory;
use crate::execution::message::{Envelope, ExecutionRequest, Input};
use crate::execution::trace::Trace;
use crate::limits;
use crate::map::ChunkRequest;

/// The message could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// The input is one for the bucket, which did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The envelope can't be written as JSON.
    #[error("an envelope can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The message that asks for this execution. A large input goes to the bucket first, and the message names it.
///
/// # Errors
/// When the bucket does not take the input.
pub async fn message_for(
    store: &Store,
    mut request: ExecutionRequest,
) -> Result<OutgoingMessage, EnqueueError> {
    store_large_input(store, &mut request).await?;
    Ok(message(request)?)
}

/// Puts an input into the bucket that is large for a message. The request names it from then on.
///
/// # Errors
/// When the bucket does not take it.
pub async fn store_large_input(store: &Store, request: &mut ExecutionRequest) -> Result<(), StoreError> {
    if let Input::Inline(json) = &request.input
        && json.get().len() > limits::CLAIM_CHECK_BYTES
    {
        let key = store.keys().input(&request.function, &request.id);
        store.put(&key, json.get().to_owned(), JSON, Condition::Always).await?;
        request.input = Input::Stored(key);
    }
    Ok(())
}

/// A copy of a message that is given back, to be received again after `delay`, or after the longest that SQS delays.
/// `None` where it is too large for a message: S3 takes no part in giving back.
pub fn copy_of(
    request: ExecutionRequest,
    history: AttemptHistory,
    delay: Duration,
) -> Option<OutgoingMessage> {
    let delay = delay.min(limits::SQS_LONGEST_DELAY);
    let copy = OutgoingMessage { delay, history: Some(history), ..message(request).ok()? };
    (copy.bytes() <= limits::SQS_MESSAGE_BYTES).then_some(copy)
}

/// The message that asks for a chunk of a map. Where it is given back, the copy carries what earlier deliveries came to.
///
/// # Errors
/// When it can't be written as JSON, which never happens.
pub fn chunk_message(
    request: &ChunkRequest,
    history: Option<AttemptHistory>,
    delay: Duration,
    trace: Trace,
) -> Result<OutgoingMessage, EnqueueError> {
    let (body, group_id) = (serde_json::to_string(request)?, request.function.to_string());
    let delay = delay.min(limits::SQS_LONGEST_DELAY);
    Ok(OutgoingMessage { body, group_id, delay, history, trace })
}

fn message(request: ExecutionRequest) -> Result<OutgoingMessage, serde_json::Error> {
    let ExecutionRequest {
        id,
        function,
        version,
        revision,
        input,
        submitted_at,
        replay_of,
        invocation,
        trace,
    } = request;
    let (input, input_key) = match input {
        Input::Inline(json) => (Some(json), None),
        Input::Stored(key) => (None, Some(key)),
    };
    let group_id = function.to_string();
    let (id, submitted_at) = (Some(id), Some(submitted_at));
    let envelope =
        Envelope { function, version, revision, input, id, submitted_at, input_key, replay_of, invocation };
    let body = without_noncharacters(serde_json::to_string(&envelope)?);
    Ok(OutgoingMessage { body, group_id, delay: Duration::ZERO, history: None, trace })
}

/// SQS refuses a body with U+FFFE or U+FFFF. In JSON they stand in strings alone, where they can be escaped.
fn without_noncharacters(json: String) -> String {
    if !json.contains(['\u{fffe}', '\u{ffff}']) {
        return json;
    }
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

#[cfg(test)]
mod tests {
    use crate::execution::message::Received;
    use crate::timestamp::Timestamp;

    use super::*;

    fn request(body: &str) -> ExecutionRequest {
        let sent_at = Timestamp::from_unix_ms(5).unwrap();
        let (message_id, function, trace) = ("m-1", Some("hello:live"), &Trace::NONE);
        Received { message_id, body, function, sent_at, trace }.parse(None).unwrap()
    }

    #[test]
    fn a_copy_asks_for_the_same_execution() {
        let copy =
            copy_of(request("plain text"), AttemptHistory::default(), Duration::from_secs(3600)).unwrap();
        assert_eq!((copy.delay, copy.group_id.as_str()), (limits::SQS_LONGEST_DELAY, "hello"));
        let expected = r#"{"function":"hello","version":"live","input":"plain text","id":"m-1","submitted_at":"1970-01-01T00:00:00.005Z"}"#;
        assert_eq!((copy.body.as_str(), copy.history), (expected, Some(AttemptHistory::default())));
    }

    #[test]
    fn a_copy_repeats_the_same_execution() {
        let repeated = ExecutionRequest { replay_of: "order-7".parse().ok(), ..request("1") };
        let copy = copy_of(repeated, AttemptHistory::default(), Duration::ZERO).unwrap();
        assert!(copy.body.ends_with(r#""replay_of":"order-7"}"#), "{}", copy.body);
    }

    #[test]
    fn a_copy_asks_for_what_the_execution_was_found_to_run() {
        let mut found = request("1");
        found.pin(Some(3), "0123456789abcdef".repeat(4).parse().unwrap());
        let copy = copy_of(found, AttemptHistory::default(), Duration::ZERO).unwrap();
        let expected =
            format!(r#"{{"function":"hello","version":3,"revision":"{}","#, "0123456789abcdef".repeat(4));
        assert!(copy.body.starts_with(&expected), "{}", copy.body);
    }

    #[test]
    fn what_fills_a_message_has_no_copy() {
        let body = format!("\"{}\"", "x".repeat(limits::SQS_MESSAGE_BYTES - 100));
        assert!(copy_of(request(&body), AttemptHistory::default(), Duration::ZERO).is_none());
    }

    #[test]
    fn what_sqs_refuses_is_escaped() {
        let body = without_noncharacters("[\"a\u{ffff}b\u{fffe}\"]".to_owned());
        assert_eq!(body, r#"["a\uffffb\ufffe"]"#);
        let same: Vec<String> = serde_json::from_str(&body).unwrap();
        assert_eq!(same, ["a\u{ffff}b\u{fffe}"]);
    }
}
