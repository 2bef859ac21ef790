//! Making the message that asks for an execution.

use serde_json::value::RawValue;

use crate::limits;
use crate::message::{Envelope, ExecutionRequest, Input};
use crate::queue::OutgoingMessage;
use crate::store::{Condition, JSON, Store, StoreError};

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
pub async fn message_for(store: &Store, request: ExecutionRequest) -> Result<OutgoingMessage, EnqueueError> {
    let ExecutionRequest { id, function, version, input, submitted_at, trace } = request;
    let (input, input_key) = match input {
        Input::Stored(key) => (None, Some(key)),
        Input::Inline(json) if json.get().len() > limits::CLAIM_CHECK_BYTES => {
            let key = store.keys().input(&function, &id);
            store.put(&key, bytes_of(json), JSON, Condition::Always).await?;
            (None, Some(key))
        }
        Input::Inline(json) => (Some(json), None),
    };
    let group_id = function.to_string();
    let envelope =
        Envelope { function, version, input, id: Some(id), submitted_at: Some(submitted_at), input_key };
    let body = without_noncharacters(serde_json::to_string(&envelope)?);
    Ok(OutgoingMessage { body, group_id, receives: 0, trace })
}

fn bytes_of(json: Box<RawValue>) -> Vec<u8> {
    String::from(Box::<str>::from(json)).into_bytes()
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
    use super::*;

    #[test]
    fn what_sqs_refuses_is_escaped() {
        let body = without_noncharacters("[\"a\u{ffff}b\u{fffe}\"]".to_owned());
        assert_eq!(body, r#"["a\uffffb\ufffe"]"#);
        let same: Vec<String> = serde_json::from_str(&body).unwrap();
        assert_eq!(same, ["a\u{ffff}b\u{fffe}"]);
    }
}
