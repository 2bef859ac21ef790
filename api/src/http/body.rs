//! Reading bodies, with every refusal as an [`ApiError`].

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use badlambda_shared::limits;
use futures::StreamExt as _;

use crate::http::admission::{Admission, BodyPermit};
use crate::http::error::ApiError;

/// A body that was read, and the room that it takes.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) permit: BodyPermit,
}

/// The body's bytes; `too_large` where there are more than `most`.
///
/// Most clients read no answer before they have sent everything, so what is too much is read, too, and dropped,
/// unless it is out of all proportion.
pub(crate) async fn receive(
    admission: &Admission,
    body: Body,
    most: usize,
    too_large: ApiError,
) -> Result<Received, ApiError> {
    let receiving =
        tokio::time::timeout(limits::BODY_TIME, receive_all(admission.for_body(), body, most, too_large));
    receiving.await.map_err(|_| ApiError::InvalidBody)?
}

async fn receive_all(
    mut permit: BodyPermit,
    body: Body,
    most: usize,
    too_large: ApiError,
) -> Result<Received, ApiError> {
    let patience = most.saturating_add(limits::DISCARDED_BODY_BYTES);
    let (mut bytes, mut seen, mut refused) = (Vec::new(), 0usize, None);
    let mut chunks = body.into_data_stream();
    while seen <= patience
        && let Some(chunk) = chunks.next().await
    {
        let chunk = chunk.map_err(|_| ApiError::InvalidBody)?;
        seen = seen.saturating_add(chunk.len());
        if refused.is_none() && seen <= most {
            refused = permit.take(chunk.len()).err();
            bytes.extend_from_slice(&chunk);
        }
        if refused.is_some() || seen > most {
            bytes = Vec::new();
            permit.clear();
        }
    }
    match refused {
        _ if seen > most => Err(too_large),
        Some(refused) => Err(refused),
        None => Ok(Received { bytes, permit }),
    }
}

/// Reads on and drops what comes, unless it is out of all proportion, so that the client comes to read its refusal.
pub(crate) async fn discard(mut rest: BodyDataStream) {
    let mut seen = 0usize;
    while seen <= limits::DISCARDED_BODY_BYTES
        && let Some(Ok(piece)) = rest.next().await
    {
        seen = seen.saturating_add(piece.len());
    }
}

/// The body's media type, without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// Whether the media type is JSON's, or one that is written in JSON.
pub(crate) fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}
