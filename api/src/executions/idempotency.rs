//! The header `Idempotency-Key`: a request that is repeated means the same execution.
//!
//! The first request with a key writes which execution it stands for, only where nothing is written (`If-None-Match`),
//! and sends the message. Once that is through, the object says so, and a repeated request sends nothing. Where it
//! does not say so (the API died in between, or could not send), the message is sent again with the same id: a
//! worker drops what has a final record, so that at worst an attempt runs twice.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use badlambda_shared::aws::retry::Delays;
use badlambda_shared::aws::store::{Condition, JSON, Written};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::app::App;
use crate::executions::ticket::Ticket;
use crate::functions::manifest::to_json;
use crate::http::error::{self, ApiError};
use crate::http::part::Part;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_CLAIM_BYTES: u64 = 4096;

/// What stands under a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    ticket: Ticket,
    /// The digest of what was asked for.
    fingerprint: String,
    /// The queue has the message.
    sent: bool,
}

/// What is left to do for a request that bears a key.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Nothing: the queue has had the message before.
    Sent,
    /// The message is to be sent.
    ToSend(Unsent),
}

/// An entry whose message is to be sent, and where and as what it was read.
#[derive(Debug)]
pub(crate) struct Unsent {
    entry: Entry,
    object_key: String,
    etag: String,
}

/// The request's key, if it bears one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let most = limits::MAX_IDEMPOTENCY_KEY_CHARS;
    let key = value.to_str().unwrap_or_default().trim();
    if (1..=most).contains(&key.len()) {
        return Ok(Some(key.to_owned()));
    }
    Err(ApiError::invalid(
        Part::Header(error::IDEMPOTENCY_KEY),
        format!("it must be 1 to {most} visible ASCII characters"),
    ))
}

/// The digest of what is asked for, part by part.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| {
        digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    hex::encode(digest.finalize())
}

/// The execution that the key stands for, which is that of `issue` if the key is new.
pub(crate) async fn claim(
    app: &App,
    function: &FunctionName,
    key: &str,
    fingerprint: &str,
    issue: impl Fn() -> Ticket,
) -> Result<(Ticket, Claim), ApiError> {
    let object_key = app.store.keys().idempotency(function, &hex::encode(Sha256::digest(key)));
    let entry = Entry { ticket: issue(), fingerprint: fingerprint.to_owned(), sent: false };
    let mut delays = Delays::between(Duration::from_millis(20), Duration::from_millis(500));
    let give_up_at = Instant::now() + limits::IDEMPOTENCY_PATIENCE;
    loop {
        let written = app.store.put(&object_key, to_json(&entry)?, JSON, Condition::Absent).await?;
        if let Written::Stored(etag) = written {
            return Ok((entry.ticket.clone(), Claim::ToSend(Unsent { entry, object_key, etag })));
        }
        let found = app.store.get(&object_key, MAX_CLAIM_BYTES).await?;
        let in_time = Instant::now() < give_up_at;
        match found {
            Some(object) => {
                let found: Entry = serde_json::from_slice(&object.bytes)
                    .map_err(|error| ApiError::Internal(format!("{object_key} is damaged: {error}")))?;
                if found.fingerprint != fingerprint {
                    return Err(ApiError::IdempotencyKeyReused);
                }
                let ticket = found.ticket.clone();
                if found.sent || app.records.find(function, &ticket.id).await?.is_some() {
                    return Ok((ticket, Claim::Sent));
                }
                // While it is young, the first request may be about to send the message itself.
                let is_young = ticket.submitted_at.age() < limits::SEND_DEADLINE;
                if !(in_time && is_young) {
                    let unsent = Unsent { entry: found, object_key, etag: object.etag };
                    return Ok((ticket, Claim::ToSend(unsent)));
                }
            }
            None if in_time => {}
            None => return Err(ApiError::Unavailable(format!("{object_key} is contended"))),
        }
        tokio::time::sleep(delays.next_delay()).await;
    }
}

impl Unsent {
    /// Notes that the queue has the message. Should that fail, a repeated request sends it again.
    pub(crate) async fn note_sent(self, app: &App) {
        let Self { entry, object_key, etag } = self;
        let Ok(bytes) = to_json(&Entry { sent: true, ..entry }) else { return };
        let noted = app.store.put(&object_key, bytes, JSON, Condition::Unchanged(&etag)).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "could not note that a message with an Idempotency-Key was sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_key_is_short_and_visible() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            key(&headers)
        };
        assert_eq!(of("order-7").unwrap().as_deref(), Some("order-7"));
        assert!(of("").is_err() && of("é").is_err() && of(&"x".repeat(256)).is_err());
        assert!(key(&HeaderMap::new()).unwrap().is_none());
    }

    #[test]
    fn other_parts_are_another_request() {
        let of = |parts: &[&str]| fingerprint(&parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>());
        let same = of(&["1", "", "2"]);
        assert_eq!(of(&["1", "", "2"]), same);
        for other in [&["1", "2", ""][..], &["12", "", ""], &["1", "", "3"], &["1", "", "2", ""]] {
            assert_ne!(of(other), same, "{other:?}");
        }
    }
}
