//! Answers that are read while they come: pieces of bytes made into lines.

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::request::Answer;

/// The most that a line may take, far above any that the API writes: the largest result that a config may allow is 32 MiB.
const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// The lines of an answer.
#[derive(Debug)]
pub struct Lines {
    answer: Answer,
    buffer: LineBuffer,
}

/// Bytes that make up no whole line yet.
#[derive(Debug, Default)]
struct LineBuffer {
    bytes: Vec<u8>,
    /// How far there is no end of a line.
    searched: usize,
}

impl Lines {
    pub(crate) fn of(answer: Answer) -> Self {
        Self { answer, buffer: LineBuffer::default() }
    }

    /// The next line without its end, or `None` at the end of the answer. What has no end is no line.
    ///
    /// # Errors
    /// When the connection breaks off, or a line has no end within 64 MiB.
    pub async fn next_line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if let Some(line) = self.buffer.take_line() {
                return Ok(Some(line));
            }
            if self.buffer.bytes.len() > MAX_LINE_BYTES {
                return Err(self.answer.not_ours(b"a line without an end"));
            }
            match self.answer.chunk().await? {
                Some(chunk) => self.buffer.bytes.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// The next line, as the JSON that it must be.
    ///
    /// # Errors
    /// As [`Lines::next_line`], and when it is none.
    pub async fn next_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        let Some(line) = self.next_line().await? else { return Ok(None) };
        serde_json::from_slice(&line).map(Some).map_err(|_| self.answer.not_ours(&line))
    }
}

impl LineBuffer {
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let Some(at) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let mut line: Vec<u8> = self.bytes.drain(..=self.searched + at).collect();
        self.searched = 0;
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_however_they_come_in() {
        let text = b"one\r\n\ntwo\nno line";
        for size in 1..=text.len() {
            let (mut buffer, mut lines) = (LineBuffer::default(), vec![]);
            for piece in text.chunks(size) {
                buffer.bytes.extend_from_slice(piece);
                while let Some(line) = buffer.take_line() {
                    lines.push(String::from_utf8(line).unwrap());
                }
            }
            assert_eq!(lines, ["one", "", "two"], "in pieces of {size}");
        }
    }
}
