//! What runs for longer than a few seconds: one object for each worker, which replaces it while there is something, and
//! deletes it when there is nothing.

use serde::{Deserialize, Serialize};

use crate::index::Line;
use crate::limits;
use crate::store::{Condition, JSON, Store, StoreError};
use crate::timestamp::Timestamp;

/// What one worker runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OfWorker {
    /// If the worker has not renewed this by then, its leases are over, and other workers have the messages.
    valid_until: Timestamp,
    lines: Vec<Line>,
}

/// Stores what the worker named `worker` runs.
///
/// # Errors
/// When S3 fails.
pub async fn store(
    store: &Store,
    worker: &str,
    lines: Vec<Line>,
    valid_until: Timestamp,
) -> Result<(), StoreError> {
    let key = store.keys().running(worker);
    if lines.is_empty() {
        return store.delete(&key).await;
    }
    let json = serde_json::to_vec(&OfWorker { valid_until, lines });
    let json = json.map_err(|error| StoreError::unwritable(&key, &error))?;
    store.put(&key, json, JSON, Condition::Always).await.map(drop)
}

/// What all workers run, as far as they have renewed it.
///
/// # Errors
/// When S3 fails.
pub async fn read(store: &Store) -> Result<Vec<Line>, StoreError> {
    let folder = store.keys().running("");
    let mut lines = vec![];
    let mut after = None;
    loop {
        let page = store.list(&folder, after.as_deref(), limits::LISTED_KEYS).await?;
        for key in page.keys {
            let Some(object) = store.get(&key, limits::MAX_SEGMENT_BYTES).await? else { continue };
            match serde_json::from_slice::<OfWorker>(&object.bytes) {
                Ok(of) if of.valid_until > Timestamp::now() => lines.extend(of.lines),
                Ok(_) => {}
                Err(error) => tracing::error!(key, %error, "what a worker runs can't be read"),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(lines);
        }
    }
}
