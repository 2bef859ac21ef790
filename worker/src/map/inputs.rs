//! The inputs of a chunk: an object with a line of JSON for each.

use std::ops::Range;

use badlambda_shared::aws::store::StoreError;
use badlambda_shared::execution::message::depth_is_bounded;
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::limits;
use badlambda_shared::map::ChunkRequest;
use serde::de::IgnoredAny;

use crate::steps::prepare::{Preparer, Unprepared};
use crate::steps::retry::{RetryError, STORE_PATIENCE, retry_until, stopped_or_after};

/// The inputs of a chunk, in their order.
#[derive(Debug)]
pub(super) struct Inputs {
    text: String,
    lines: Vec<Range<usize>>,
}

impl Inputs {
    /// Fetches them.
    pub(super) async fn fetch(preparer: &Preparer, request: &ChunkRequest) -> Result<Self, Unprepared> {
        let Preparer { store, max_input_bytes, stop, .. } = preparer;
        let key = store.keys().map_inputs(&request.map, request.chunk);
        // The last input may come on top.
        let most = limits::CHUNK_BYTES as u64 + max_input_bytes + u64::from(request.items);
        let get = || store.get(&key, most);
        let give_up = stopped_or_after(stop, STORE_PATIENCE);
        let may_pass = |error: &StoreError| error.may_pass();
        let object = match retry_until("read a chunk's inputs", give_up, may_pass, get).await {
            Ok(Some(object)) => object,
            Ok(None) => {
                let gone = "its input is gone: it waited for longer than the bucket keeps inputs";
                return Err(Unprepared::Never(ExecutionError::new(ErrorKind::Expired, gone)));
            }
            Err(RetryError::GaveUp) => return Err(Unprepared::GaveUp),
            Err(RetryError::Permanent(error)) => return Err(bad(&error.to_string())),
        };
        let text = String::from_utf8(object.bytes).map_err(|_| bad("they are not UTF-8"))?;
        let inputs = Self::of(text);
        if inputs.lines.len() == request.items as usize {
            Ok(inputs)
        } else {
            Err(bad("they are not as many as sent"))
        }
    }

    fn of(text: String) -> Self {
        let mut lines = vec![];
        let mut begin = 0;
        for (end, _) in text.match_indices('\n') {
            lines.push(begin..end);
            begin = end + 1;
        }
        Self { text, lines }
    }

    /// The input at this place of the chunk.
    ///
    /// # Errors
    /// When it is no JSON that function code may be given.
    pub(super) fn get(&self, place: usize) -> Result<String, ExecutionError> {
        let input = self.lines.get(place).map_or("", |line| &self.text[line.clone()]);
        let is_json = depth_is_bounded(input) && serde_json::from_str::<IgnoredAny>(input).is_ok();
        if is_json {
            Ok(input.to_owned())
        } else {
            Err(bad_message("the input is not JSON, or nested too deeply"))
        }
    }
}

fn bad(reason: &str) -> Unprepared {
    Unprepared::Never(bad_message(&format!("the inputs of the chunk can't be read: {reason}")))
}

fn bad_message(reason: &str) -> ExecutionError {
    ExecutionError::new(ErrorKind::BadMessage, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_an_input() {
        let inputs = Inputs::of("1.50\n{\"a\": \"\\n\"}\nx\n".to_owned());
        assert_eq!(inputs.lines.len(), 3);
        assert_eq!(
            (inputs.get(0).unwrap(), inputs.get(1).unwrap()),
            ("1.50".to_owned(), r#"{"a": "\n"}"#.to_owned())
        );
        assert_eq!(inputs.get(2).unwrap_err().kind, ErrorKind::BadMessage);
        assert!(inputs.get(3).is_err());
    }
}
