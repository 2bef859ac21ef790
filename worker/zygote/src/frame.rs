//! The answer that an execution writes to a pipe: one byte once it is confined, then one frame, then the end of the
//! file.
//!
//! ```text
//! A │ r, b or e │ length, 4 bytes little endian │ that much JSON, or bytes │ end of file
//! ```
//! If an answer does not begin with the `A`, confining the process failed. That is our failure where a zygote forked
//! the process. Everything after the `A` comes from function code, and is hostile.

/// The execution is confined, and function code begins.
pub const ARMED: u8 = b'A';
/// The frame holds the result.
pub const RESULT: u8 = b'r';
/// The frame holds a result that is sent as it is: bytes.
pub const BYTES: u8 = b'b';
/// The frame holds an error: `{"kind", "type", "message", "backtrace"}`.
pub const ERROR: u8 = b'e';
/// Bytes before a frame's JSON.
pub const HEADER_BYTES: usize = 5;

/// What a complete answer means.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The process ended while it was being confined. The text names the step.
    NotConfined(&'a [u8]),
    /// Function code began, but wrote no frame, or not exactly one.
    Nothing,
    /// The result's JSON, unchecked.
    Result(&'a [u8]),
    /// A result's bytes.
    Bytes(&'a [u8]),
    /// An error's JSON, unchecked.
    Error(&'a [u8]),
}

/// Parses everything that an execution wrote. More or less than one frame counts as [`Answer::Nothing`].
pub fn parse(bytes: &[u8]) -> Answer<'_> {
    let frame = match bytes.split_first() {
        Some((&ARMED, frame)) => frame,
        _ => return Answer::NotConfined(bytes),
    };
    let Some((header, payload)) = frame.split_first_chunk::<HEADER_BYTES>() else {
        return Answer::Nothing;
    };
    let [kind, length @ ..] = *header;
    if u32::from_le_bytes(length) as usize != payload.len() {
        return Answer::Nothing;
    }
    match kind {
        RESULT => Answer::Result(payload),
        BYTES => Answer::Bytes(payload),
        ERROR => Answer::Error(payload),
        _ => Answer::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_frame_counts() {
        assert_eq!(parse(b"Ar\x02\0\0\0{}"), Answer::Result(b"{}"));
        assert_eq!(parse(b"Ae\x02\0\0\0{}"), Answer::Error(b"{}"));
        assert_eq!(parse(b"Ab\x02\0\0\0\xff\0"), Answer::Bytes(b"\xff\0"));
        assert_eq!(parse(b"A"), Answer::Nothing);
        assert_eq!(parse(b"Ar\x03\0\0\0{}"), Answer::Nothing);
        assert_eq!(parse(b"Ar\x02\0\0\0{}r\x02\0\0\0{}"), Answer::Nothing);
        assert_eq!(parse(b"Ax\x02\0\0\0{}"), Answer::Nothing);
        assert_eq!(parse(b"setup_identity: EPERM"), Answer::NotConfined(b"setup_identity: EPERM"));
    }
}
