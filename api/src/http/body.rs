//! Reading bodies, with every refusal as an [`ApiError`].

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use badlambda_shared::limits;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::http::error::ApiError;
use crate::http::room::{BodyRoom, Room};

/// A body that was read, and the room that it takes.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: BodyRoom,
}

/// The body's bytes; `too_large` where there are more than `most`.
///
/// Most clients read no answer before they have sent everything, so what is too much is read, too, and dropped,
/// unless it is out of all proportion.
pub(crate) async fn receive(
    room: &Room,
    body: Body,
    most: usize,
    too_large: ApiError,
) -> Result<Received, ApiError> {
    let receiving =
        tokio::time::timeout(limits::BODY_TIME, receive_all(room.for_body(), body, most, too_large));
    receiving.await.map_err(|_| ApiError::InvalidBody)?
}

async fn receive_all(
    mut room: BodyRoom,
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
            refused = room.take(chunk.len()).err();
            bytes.extend_from_slice(&chunk);
        }
        if refused.is_some() || seen > most {
            bytes = Vec::new();
            room.clear();
        }
    }
    match refused {
        _ if seen > most => Err(too_large),
        Some(refused) => Err(refused),
        None => Ok(Received { bytes, room }),
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

/// A value read from a JSON object. What is no JSON is named with its place, what is wrong in it with its field.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Serde would take an array for an object without names.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError::field("body", "it must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

/// Why text was refused that should be JSON.
pub(crate) fn refusal(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return ApiError::InvalidJson { reason: text, line: error.line(), column: error.column() };
    }
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned();
    let quoted = reason.split('`').nth(1);
    match quoted {
        Some(field) if reason.starts_with("unknown field") => {
            let field = below(path, field);
            let reason = reason.split_once(", ").map_or(String::new(), |(_, expected)| expected.to_owned());
            ApiError::UnknownField { field, reason }
        }
        Some(field) if reason.starts_with("missing field") => {
            ApiError::field(below(path, field), "it is required")
        }
        _ if path == "." => ApiError::InvalidField { field: "body".to_owned(), reason },
        _ => ApiError::InvalidField { field: path.to_owned(), reason },
    }
}

/// `field` inside the value at `path`, which may end with the field already.
fn below(path: &str, field: &str) -> String {
    match path {
        "." | "?" => field.to_owned(),
        _ if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        _ => format!("{}.{field}", path.trim_end_matches(".?")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Inner,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Inner {
        count: u64,
    }

    fn refused(text: &str) -> ApiError {
        json::<Outer>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_no_json_is_named_with_its_place() {
        for (text, at) in [("", (1, 0)), ("{\n \"name\": x}", (2, 10)), (r#"{"name": "a"} x"#, (1, 15))] {
            let error = refused(text);
            assert!(
                matches!(error, ApiError::InvalidJson { line, column, .. } if (line, column) == at),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_in_it_is_named_with_its_field() {
        for (text, slug, expected) in [
            (r#"{"name": "a", "nme": 1}"#, "unknown_field", "nme"),
            (r#"{"name": "a", "inner": {"cuont": 1}}"#, "unknown_field", "inner.cuont"),
            (r#"{"name": "a", "inner": {"count": "many"}}"#, "invalid_field", "inner.count"),
            (r#"{"name": "a", "inner": {"count": -1}}"#, "invalid_field", "inner.count"),
            (r#"{"name": 1}"#, "invalid_field", "name"),
            (r#"{}"#, "invalid_field", "name"),
            (r#"["a"]"#, "invalid_field", "body"),
            (r#""text""#, "invalid_field", "body"),
        ] {
            let error = refused(text);
            let field = error.members()[0].1.clone();
            assert_eq!((error.kind().1, field.as_str()), (slug, Some(expected)), "{text}: {error:?}");
        }
    }
}
