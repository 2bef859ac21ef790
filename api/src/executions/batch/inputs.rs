//! The inputs of a batch, out of its body: a JSON array, or JSON line by line.

use std::fmt;

use axum::http::HeaderMap;
use badlambda_shared::limits;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::app::App;
use crate::executions::submit::check;
use crate::http::body;
use crate::http::error::ApiError;
use crate::http::json;

/// One input, or why it is none.
pub(crate) type BatchInput = Result<Box<RawValue>, ApiError>;

/// The inputs in their order. A line that is no JSON is one input that is refused; where an array is none, all is.
pub(crate) fn read(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<BatchInput>, ApiError> {
    let is_ndjson = matches!(
        body::media_type(headers).as_deref(),
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl")
    );
    let inputs = if is_ndjson { lines(bytes)? } else { array(bytes)? };
    let checked = |input: BatchInput| input.and_then(|input| check(app, &input, &[]).map(|()| input));
    Ok(inputs.into_iter().map(checked).collect())
}

fn lines(bytes: &[u8]) -> Result<Vec<BatchInput>, ApiError> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let inputs: Vec<BatchInput> = lines
        .take(limits::MAX_BATCH + 1)
        .map(|line| serde_json::from_slice(line).map_err(|error| json::not_json(&error)))
        .collect();
    if inputs.len() > limits::MAX_BATCH {
        return Err(ApiError::in_body(&[], too_many()));
    }
    Ok(inputs)
}

fn array(bytes: &[u8]) -> Result<Vec<BatchInput>, ApiError> {
    match serde_json::from_slice(bytes) {
        Ok(Inputs(inputs)) => Ok(inputs.into_iter().map(Ok).collect()),
        Err(error) if error.classify() == Category::Data => Err(ApiError::in_body(&[], error)),
        Err(error) => Err(json::not_json(&error)),
    }
}

fn too_many() -> String {
    format!("it holds more than {} inputs; send several batches", limits::MAX_BATCH)
}

/// The elements of an array, of which no more are read than a batch may have.
struct Inputs(Vec<Box<RawValue>>);

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(InputsVisitor)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = Inputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an array of inputs, or, with `Content-Type: application/x-ndjson`, an input on each line",
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Inputs, A::Error> {
        let mut inputs = vec![];
        while let Some(input) = elements.next_element()? {
            if inputs.len() == limits::MAX_BATCH {
                return Err(A::Error::custom(too_many()));
            }
            inputs.push(input);
        }
        Ok(Inputs(inputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(inputs: Vec<BatchInput>) -> Vec<String> {
        let text = |input: BatchInput| match input {
            Ok(json) => json.get().to_owned(),
            Err(error) => error.kind().1.to_owned(),
        };
        inputs.into_iter().map(text).collect()
    }

    #[test]
    fn inputs_are_kept_as_they_were_written() {
        let same = ["1.50", "null", "{\"a\": [2]}"];
        assert_eq!(texts(array(b"[1.50, null,{\"a\": [2]}]").unwrap()), same);
        assert_eq!(texts(lines(b"1.50\n\nnull\r\n{\"a\": [2]}").unwrap()), same);
        assert_eq!(texts(lines(b"1\nx\n1 2\n\xff\n").unwrap())[1..], ["invalid_json"; 3]);
        assert!(texts(array(b"[]").unwrap()).is_empty() && texts(lines(b"").unwrap()).is_empty());
    }

    #[test]
    fn what_is_no_batch_is_refused_as_a_whole() {
        for (body, slug) in [("", "invalid_json"), ("[1,", "invalid_json"), ("[x]", "invalid_json")] {
            assert_eq!(array(body.as_bytes()).unwrap_err().kind().1, slug, "{body}");
        }
        for body in ["{}", "7", "null"] {
            assert_eq!(array(body.as_bytes()).unwrap_err().kind().1, "invalid_field", "{body}");
        }
        let many = vec!["1"; limits::MAX_BATCH];
        assert_eq!(array(format!("[{}]", many.join(",")).as_bytes()).unwrap().len(), limits::MAX_BATCH);
        assert!(array(format!("[{},1]", many.join(",")).as_bytes()).is_err());
        assert!(lines(format!("{}\n1", many.join("\n")).as_bytes()).is_err());
    }
}
