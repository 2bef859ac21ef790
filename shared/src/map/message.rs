//! The message that asks for a chunk.

use serde::{Deserialize, Serialize};

use super::MapId;
use crate::execution::message::{BadMessage, Received};
use crate::function::name::{FunctionName, Revision};
use crate::limits;
use crate::timestamp::Timestamp;

/// A chunk of a map, which a message asks for. The API alone sends such messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkRequest {
    // First: by it the message is told from others.
    /// The map.
    pub map: MapId,
    /// Which chunk of it, from 0 on.
    pub chunk: u32,
    /// The index of its first input.
    pub first: u64,
    /// How many inputs it has.
    pub items: u32,
    /// The function.
    pub function: FunctionName,
    /// The version; 0 where the revision has none.
    pub version: u32,
    /// The version's revision.
    pub revision: Revision,
    /// When the map was submitted.
    pub submitted_at: Timestamp,
}

/// How the body of every such message begins.
const BEGIN: &str = "{\"map\":";

impl ChunkRequest {
    /// The chunk that a message asks for; `None` where it asks for something else.
    ///
    /// # Errors
    /// When it claims to be such a message, and is none that the API sent.
    pub fn read(received: &Received<'_>) -> Option<Result<Self, BadMessage>> {
        let is_chunk = received.function.is_none() && received.body.starts_with(BEGIN);
        is_chunk.then(|| Self::parse(received.body).map_err(|reason| BadMessage { reason, known: None }))
    }

    fn parse(body: &str) -> Result<Self, String> {
        let request: Self = serde_json::from_str(body).map_err(|error| {
            crate::execution::message::one_line(&format!(
                "the body begins like a chunk of a map, and is none: {error}"
            ))
        })?;
        let Self { map, chunk, first, items, function, .. } = &request;
        if map.issued_at(function).is_none() {
            return Err("`map` was not issued for this function".to_owned());
        }
        let is_possible = *chunk < limits::MAX_MAP_CHUNKS
            && (1..=limits::MAX_CHUNK_ITEMS).contains(items)
            && *first < limits::MAX_MAP_ITEMS;
        if !is_possible {
            return Err("`chunk`, `first` and `items` are not those of a chunk".to_owned());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::trace::Trace;

    fn read(body: &str, function: Option<&str>) -> Option<Result<ChunkRequest, BadMessage>> {
        let sent_at = Timestamp::from_unix_ms(5).unwrap();
        ChunkRequest::read(&Received { message_id: "m-1", body, function, sent_at, trace: &Trace::NONE })
    }

    #[test]
    fn what_the_api_sends_is_read_and_what_it_never_sent_is_refused() {
        let function: FunctionName = "hello".parse().unwrap();
        let request = ChunkRequest {
            map: MapId::issue(&function),
            chunk: 3,
            first: 300,
            items: 100,
            function,
            version: 2,
            revision: "0123456789abcdef".repeat(4).parse().unwrap(),
            submitted_at: Timestamp::from_unix_ms(5).unwrap(),
        };
        let body = |request: &ChunkRequest| serde_json::to_string(request).unwrap();
        assert_eq!(read(&body(&request), None), Some(Ok(request.clone())));
        assert_eq!(read(&body(&request), Some("hello")), None, "an input of that look");
        assert_eq!(read(r#"{"function": "hello"}"#, None), None);
        let other = ChunkRequest { function: "other".parse().unwrap(), ..request.clone() };
        assert!(read(&body(&other), None).unwrap().unwrap_err().reason.contains("not issued"));
        for wrong in [
            ChunkRequest { items: 0, ..request.clone() },
            ChunkRequest { items: u32::MAX, ..request.clone() },
            ChunkRequest { chunk: u32::MAX, ..request.clone() },
            ChunkRequest { first: u64::MAX, ..request.clone() },
        ] {
            assert!(read(&body(&wrong), None).unwrap().is_err(), "{wrong:?}");
        }
        assert!(read("{\"map\":1}", None).unwrap().unwrap_err().reason.contains("is none"));
    }
}
