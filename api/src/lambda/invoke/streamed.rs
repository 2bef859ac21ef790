//! The answer of an InvokeWithResponseStream: events. Ruby returns its result at once, as on AWS, so the events come together
//! when the run has ended.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use badlambda_shared::aws::event_stream::{EVENT_STREAM, EventError, write_event};
use serde::Serialize;

use super::outcome::{BYTES, EXECUTED_VERSION, Invoked, JSON, UNHANDLED};
use crate::http::error::ApiError;
use crate::lambda::response::{Answer, WireResult};

/// Bytes of the payload that one event holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// How it ended.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvokeComplete<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_result: Option<&'a str>,
}

/// Answers what an invocation came to. A failure is told in the last event alone.
pub(super) fn answer(invoked: Invoked, mut headers: HeaderMap) -> WireResult {
    let version = HeaderValue::from_str(&invoked.executed_version).ok();
    headers.extend(version.map(|version| (EXECUTED_VERSION, version)));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    let stream = events(&invoked).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(Answer::Invoked(headers, stream))
}

fn events(invoked: &Invoked) -> Result<Vec<u8>, EventError> {
    let mut stream = vec![];
    let failure = invoked.failed.then(|| String::from_utf8_lossy(&invoked.payload));
    if failure.is_none() {
        for chunk in invoked.payload.chunks(CHUNK_BYTES) {
            write_event("PayloadChunk", BYTES, chunk.to_vec(), &mut stream)?;
        }
    }
    let complete = InvokeComplete {
        error_code: failure.as_ref().map(|_| UNHANDLED),
        error_details: failure.as_deref(),
        log_result: invoked.log_result.as_deref(),
    };
    let complete = serde_json::to_vec(&complete).unwrap_or_default();
    write_event("InvokeComplete", JSON, complete, &mut stream)?;
    Ok(stream)
}
