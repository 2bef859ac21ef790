//! The lines of a body, as it comes, each checked to be an input.

use badlambda_shared::execution::message::depth_is_bounded;
use serde_json::value::RawValue;

use crate::executions::submit::too_deep;
use crate::http::error::ApiError;

/// Cuts a body into lines, and knows where it is.
#[derive(Debug)]
pub(super) struct Lines {
    max_input_bytes: usize,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// The number of the line that comes next, from 1 on.
    number: u64,
}

impl Lines {
    pub(super) fn new(max_input_bytes: usize) -> Self {
        Self { max_input_bytes, begun: vec![], number: 1 }
    }

    /// Gives each line that ends in this piece of the body to `take`. Lines without anything on them are none.
    pub(super) fn push(
        &mut self,
        mut piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&piece[..end], &piece[end + 1..]);
            if self.begun.is_empty() {
                self.line(line, &mut take)?;
            } else {
                self.append(line)?;
                let whole = std::mem::take(&mut self.begun);
                self.line(&whole, &mut take)?;
            }
            self.number += 1;
            piece = rest;
        }
        self.append(piece)
    }

    /// Gives what has come behind the last end of a line to `take`.
    pub(super) fn end(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let last = std::mem::take(&mut self.begun);
        self.line(&last, &mut take)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        // White space around an input does not count; there may be so much of it.
        if self.begun.len() + bytes.len() > self.max_input_bytes.saturating_mul(2) {
            return Err(self.too_large());
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    fn line(
        &self,
        line: &[u8],
        take: &mut impl FnMut(&[u8]) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > self.max_input_bytes {
            return Err(self.too_large());
        }
        let input: &RawValue = serde_json::from_slice(line).map_err(|error| self.not_json(&error))?;
        if !depth_is_bounded(input.get()) {
            return Err(self.wrong(&too_deep()));
        }
        take(line)
    }

    fn not_json(&self, error: &serde_json::Error) -> ApiError {
        // Which line it is, serde_json does not know.
        let (told, column) = (error.to_string(), error.column());
        let what = told.split(" at line ").next().unwrap_or_default();
        let reason = format!("{what} at line {} column {column}", self.number);
        ApiError::InvalidJson { reason, line: usize::try_from(self.number).unwrap_or(usize::MAX), column }
    }

    fn too_large(&self) -> ApiError {
        self.wrong(&format!(
            "the input has more than {} bytes, the most that is accepted",
            self.max_input_bytes
        ))
    }

    /// What is wrong on this line.
    pub(super) fn wrong(&self, reason: &str) -> ApiError {
        ApiError::in_body(&[], format!("line {}: {reason}", self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Result<Vec<String>, ApiError> {
        let (mut lines, mut taken) = (Lines::new(20), vec![]);
        let mut take = |line: &[u8]| {
            taken.push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        };
        for piece in pieces {
            lines.push(piece, &mut take)?;
        }
        lines.end(take)?;
        Ok(taken)
    }

    #[test]
    fn lines_come_out_however_they_come_in() {
        let body = b"1.50\n\n {\"a\": [2]}\r\n\"\xc3\xa9\"\nnull";
        for size in 1..=body.len() {
            let pieces: Vec<&[u8]> = body.chunks(size).collect();
            assert_eq!(
                lines(&pieces).unwrap(),
                ["1.50", "{\"a\": [2]}", "\"é\"", "null"],
                "in pieces of {size}"
            );
        }
        assert!(lines(&[]).unwrap().is_empty() && lines(&[b"\n \n"]).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_input_is_named_with_its_line() {
        let told = |body: &[u8]| lines(&[body]).unwrap_err().detail();
        assert!(told(b"1\n\n{x}\n2\n").contains("line 3 column 2"), "{}", told(b"1\n\n{x}\n2\n"));
        assert!(told(b"1\n1 2").contains("line 2 column 3"));
        assert!(told(b"\"\xff\"").contains("line 1"));
        assert!(told(b"1\n\"aaaaaaaaaaaaaaaaaaaa\"").contains("line 2: the input has more than 20 bytes"));
        assert!(told(&[b' '; 41]).contains("line 1"), "also before its end has come");
        let deep = format!("1\n{}", "[".repeat(101));
        let mut whole = Lines::new(1000);
        let error = whole.push(deep.as_bytes(), |_| Ok(())).and_then(|()| whole.end(|_| Ok(()))).unwrap_err();
        assert_eq!(error.kind().1, "invalid_json", "it is not even that");
        let deep = format!("1\n{}{}", "[".repeat(101), "]".repeat(101));
        let error = whole.push(deep.as_bytes(), |_| Ok(())).and_then(|()| whole.end(|_| Ok(()))).unwrap_err();
        assert!(error.detail().contains("line 3: it must not be nested deeper"), "{error}");
    }
}
