//! What becomes of an execution's input. Where inputs are kept, a small one stands in the record, and a larger one lies
//! beside it in the bucket, where it may have come from.

use badlambda_shared::execution::message::Input;
use badlambda_shared::execution::record::Record;
use badlambda_shared::limits;
use bytes::Bytes;
use serde_json::value::RawValue;

/// What the record holds from the beginning: the input itself, or its key.
pub(crate) fn in_record(input: &Input, keeps: bool) -> (Option<Box<RawValue>>, Option<String>) {
    match input {
        Input::Inline(json) if keeps && is_small(json) => (Some(json.clone()), None),
        Input::Stored(key) if keeps => (None, Some(key.clone())),
        Input::Inline(_) | Input::Stored(_) => (None, None),
    }
}

/// What is to be stored before the final record.
pub(crate) fn to_store(input: &Input, keeps: bool) -> Option<Bytes> {
    match input {
        Input::Inline(json) if keeps && !is_small(json) => {
            Some(Bytes::copy_from_slice(json.get().as_bytes()))
        }
        Input::Inline(_) | Input::Stored(_) => None,
    }
}

/// The key of what came through the bucket, and is to be deleted now that `winner` is the final record. What ended without
/// having been run may come back from the dead-letter queue, and need it.
pub(crate) fn unkept(input: &Input, keeps: bool, winner: &Record) -> Option<String> {
    let is_needed = |key| winner.started_at.is_none() || winner.input_key.as_ref() == Some(key);
    match input {
        Input::Stored(key) if !keeps && !is_needed(key) => Some(key.clone()),
        Input::Stored(_) | Input::Inline(_) => None,
    }
}

fn is_small(json: &RawValue) -> bool {
    json.get().len() <= limits::INLINE_INPUT_BYTES
}

#[cfg(test)]
mod tests {
    use badlambda_shared::timestamp::Timestamp;

    use super::*;

    /// A final record, of an execution that was run or not.
    fn ended(has_run: bool) -> Record {
        let (id, function, at) = ("m-1".parse().unwrap(), "hello".parse().unwrap(), Timestamp::now());
        Record { started_at: has_run.then_some(at), ..Record::queued(id, function, None, at) }
    }

    fn inline(bytes: usize) -> Input {
        Input::Inline(RawValue::from_string(format!("\"{}\"", "x".repeat(bytes - 2))).unwrap())
    }

    #[test]
    fn an_input_that_is_kept_is_stored_in_one_place() {
        let stored = Input::Stored("k".to_owned());
        let largest = inline(limits::INLINE_INPUT_BYTES);
        assert!(in_record(&largest, true).0.is_some() && to_store(&largest, true).is_none());
        let larger = inline(limits::INLINE_INPUT_BYTES + 1);
        assert!(in_record(&larger, true).0.is_none() && to_store(&larger, true).is_some());
        assert_eq!(in_record(&stored, true).1.as_deref(), Some("k"));
        assert!(to_store(&stored, true).is_none() && unkept(&stored, true, &ended(true)).is_none());
    }

    #[test]
    fn an_input_that_is_not_kept_is_nowhere() {
        let stored = Input::Stored("k".to_owned());
        for input in [&inline(10), &inline(100_000), &stored] {
            let (json, key) = in_record(input, false);
            assert!(json.is_none() && key.is_none() && to_store(input, false).is_none());
        }
        assert_eq!(unkept(&stored, false, &ended(true)).as_deref(), Some("k"));
        assert!(unkept(&inline(100_000), false, &ended(true)).is_none());
    }

    #[test]
    fn an_input_that_may_still_be_needed_stays() {
        let stored = Input::Stored("k".to_owned());
        assert!(unkept(&stored, false, &ended(false)).is_none());
        // The attempt that came first was of a version that keeps inputs.
        let keeps = Record { input_key: Some("k".to_owned()), ..ended(true) };
        assert!(unkept(&stored, false, &keeps).is_none());
    }
}
