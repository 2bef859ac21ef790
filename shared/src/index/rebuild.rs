//! Makes the index anew from all records, where it was lost, or where records are older than it.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::aws::store::{Store, StoreError};
use crate::execution::record::Record;
use crate::index::{Hour, Line, compact, store_lines};
use crate::limits;

/// Lists every execution with a final record; returns how many there were. What is in the index already is there twice
/// until its hours are compacted, at the end of this; readers count it once.
///
/// # Errors
/// When S3 fails. It can be begun again at any time.
pub async fn rebuild(store: &Store, mut progress: impl FnMut(usize)) -> Result<usize, StoreError> {
    let folder = store.keys().executions();
    let (mut found, mut after) = (0, None);
    let mut waiting = vec![];
    let mut hours = BTreeSet::<Hour>::new();
    loop {
        let page = store.list_below(&folder, after.as_deref(), limits::LISTED_KEYS).await?;
        let records = page.keys.into_iter().filter(|key| key.ends_with("/record.json"));
        let lines: Vec<Option<Line>> = stream::iter(records)
            .map(|key| async move { line_of(store, &key).await })
            .buffer_unordered(limits::READS_AT_ONCE)
            .try_collect()
            .await?;
        waiting.extend(lines.into_iter().flatten());
        after = page.next;
        if waiting.len() >= limits::COMPACTED_LINES || after.is_none() {
            found += waiting.len();
            hours.extend(waiting.iter().map(Line::hour));
            store_lines(store, std::mem::take(&mut waiting)).await?;
            progress(found);
        }
        if after.is_none() {
            break;
        }
    }
    for hour in hours {
        compact::compact(store, hour).await?;
    }
    Ok(found)
}

async fn line_of(store: &Store, key: &str) -> Result<Option<Line>, StoreError> {
    let Some(object) = store.get(key, limits::MAX_RECORD_BYTES).await? else { return Ok(None) };
    match serde_json::from_slice::<Record>(&object.bytes) {
        Ok(record) if record.status.is_final() => Ok(Some(Line::of(&record))),
        Ok(_) => Ok(None),
        Err(error) => {
            tracing::error!(key, %error, "a record can't be read, and is not listed");
            Ok(None)
        }
    }
}
