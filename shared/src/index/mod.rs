//! The index: what is listed of executions.
//!
//! A worker collects a [`Line`] for each execution that ended, and stores them together as a **segment**: an object with
//! one line of JSON each, newest first. A segment is stored before the messages of its executions are deleted, so that
//! whatever has ended is listed. A message that comes back is listed again, with the same line; readers count it once.
//!
//! The segments of an hour share a folder, and their names sort the newest first. So a reader finds the newest lines
//! without reading all. A segment never changes. Once an hour is over, [`compact`] puts its segments together.
//!
//! What runs for longer than a few seconds stands in [`running`], which each worker renews. [`rebuild`] makes an index of
//! all records.

pub mod compact;
mod line;
mod name;
pub mod rebuild;
pub mod running;
mod segment;

pub use self::line::{Line, SortKey};
pub use self::name::{Hour, SegmentName};
pub use self::segment::{Row, Segment, SegmentError};

use crate::aws::store::{Condition, NDJSON, Store, StoreError};

/// Stores lines as segments, one for each hour that they are from.
///
/// # Errors
/// When S3 fails. What was stored by then does no harm when it is stored again.
pub async fn store_lines(store: &Store, mut lines: Vec<Line>) -> Result<(), StoreError> {
    lines.sort_by_cached_key(Line::sort_key);
    for of_hour in lines.chunk_by(|one, next| one.hour() == next.hour()) {
        store_segment(store, of_hour, &format!("{:08x}", rand::random::<u32>())).await?;
    }
    Ok(())
}

/// Stores lines of one hour, in their order, under a name that ends with `nonce`.
async fn store_segment(store: &Store, lines: &[Line], nonce: &str) -> Result<Option<String>, StoreError> {
    let Some(name) = SegmentName::of(lines, nonce) else { return Ok(None) };
    let key = store.keys().segment(&name);
    let mut bytes = Vec::with_capacity(lines.len() * 256);
    for line in lines {
        serde_json::to_writer(&mut bytes, line).map_err(|error| StoreError::unwritable(&key, &error))?;
        bytes.push(b'\n');
    }
    // Where there is one of this name, it has these lines: the call was repeated, or another compacted the same segments.
    store.put(&key, bytes, NDJSON, Condition::Absent).await?;
    Ok(Some(key))
}

/// The hours that have an index, from one on.
///
/// # Errors
/// When S3 fails.
pub async fn hours_since(store: &Store, first: Hour) -> Result<Vec<Hour>, StoreError> {
    let root = store.keys().index();
    let first_day = format!("{root}{first}");
    let days = store.list_all(&root).await?.prefixes;
    let mut hours = vec![];
    // A day's folder sorts before its hours, and the folder of what runs behind all of them.
    for day in days.iter().filter(|day| first_day.starts_with(day.as_str()) || **day > first_day) {
        let of_day = store.list_all(day).await?.prefixes;
        hours.extend(of_day.iter().filter_map(|folder| store.keys().hour_of(folder)));
    }
    hours.retain(|hour| *hour >= first);
    Ok(hours)
}
