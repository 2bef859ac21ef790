//! What runs for longer than a few seconds: one object for each worker, which replaces it while there is something, and
//! deletes it when there is nothing.

use futures::{StreamExt as _, TryStreamExt as _, stream};
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
    let keys = store.list_all(&store.keys().running("")).await?.keys;
    let of_workers: Vec<Vec<Line>> = stream::iter(keys)
        .map(|key| async move { of_worker(store, &key).await })
        .buffer_unordered(limits::READS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(of_workers.concat())
}

/// Nothing where the worker has not renewed it, or has just deleted it.
async fn of_worker(store: &Store, key: &str) -> Result<Vec<Line>, StoreError> {
    let Some(object) = store.get(key, limits::MAX_SEGMENT_BYTES).await? else { return Ok(vec![]) };
    match serde_json::from_slice::<OfWorker>(&object.bytes) {
        Ok(of) if of.valid_until > Timestamp::now() => Ok(of.lines),
        Ok(_) => Ok(vec![]),
        Err(error) => {
            tracing::error!(key, %error, "what a worker runs can't be read");
            Ok(vec![])
        }
    }
}
