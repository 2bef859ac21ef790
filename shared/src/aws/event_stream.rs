//! AWS's event streams: messages one behind the other, each with headers, a payload and checksums.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

/// The content type of a stream.
pub const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// A payload that no message can hold: there are lengths of 32 bits in it.
#[derive(Debug, thiserror::Error)]
#[error("an event can't be written: {0}")]
pub struct EventError(#[from] aws_smithy_eventstream::error::Error);

/// Writes an event behind what is there.
///
/// # Errors
/// When the payload is too large.
pub fn write_event(
    event_type: &'static str,
    content_type: &'static str,
    payload: Vec<u8>,
    stream: &mut Vec<u8>,
) -> Result<(), EventError> {
    let header =
        |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new(payload)
        .add_header(header(":message-type", "event"))
        .add_header(header(":event-type", event_type))
        .add_header(header(":content-type", content_type));
    Ok(write_message_to(&message, stream)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_eventstream::frame::read_message_from;

    #[test]
    fn events_are_read_as_they_were_written() {
        let mut stream = vec![];
        write_event("PayloadChunk", "application/octet-stream", b"\0a".to_vec(), &mut stream).unwrap();
        write_event("InvokeComplete", "application/json", b"{}".to_vec(), &mut stream).unwrap();
        let mut rest = stream.as_slice();
        for (event_type, payload) in [("PayloadChunk", b"\0a".as_slice()), ("InvokeComplete", b"{}")] {
            let message = read_message_from(&mut rest).unwrap();
            let told =
                message.headers().iter().find(|header| header.name().as_str() == ":event-type").unwrap();
            assert_eq!(told.value().as_string().unwrap().as_str(), event_type);
            assert_eq!(&message.payload()[..], payload);
        }
        assert!(rest.is_empty());
    }
}
