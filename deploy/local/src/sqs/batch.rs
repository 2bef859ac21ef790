//! What all batch operations have in common: ten entries with ids of their own, each with its own outcome.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::error::SqsError;

const MAX_ENTRIES: usize = 10;
const MAX_ID_CHARS: usize = 80;

/// Checks the ids of a batch's entries.
pub(crate) fn check<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), SqsError> {
    match ids.len() {
        0 => return Err(SqsError::EmptyBatchRequest),
        count if count > MAX_ENTRIES => return Err(SqsError::TooManyEntriesInBatchRequest(count)),
        _ => {}
    }
    let mut seen = HashSet::new();
    for id in ids {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > MAX_ID_CHARS || !id.chars().all(plain) {
            return Err(SqsError::InvalidBatchEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}

/// The answer to a batch: what succeeded, and what failed and why.
pub(crate) fn answer(entries: impl Iterator<Item = (String, Result<Value, SqsError>)>) -> Value {
    let (mut successful, mut failed) = (vec![], vec![]);
    for (id, outcome) in entries {
        match outcome {
            Ok(Value::Object(mut fields)) => {
                fields.insert("Id".to_owned(), json!(id));
                successful.push(Value::Object(fields));
            }
            Ok(_) => successful.push(json!({"Id": id})),
            Err(error) => failed.push(json!({
                "Id": id, "Code": error.query_name(), "Message": error.to_string(), "SenderFault": !error.is_ours(),
            })),
        }
    }
    json!({"Successful": successful, "Failed": failed})
}
