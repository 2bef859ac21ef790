//! The workers that there are, and what of theirs runs for longer than a few seconds: one object for each worker, which
//! replaces it for as long as it is there, and deletes it at its end.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::aws::store::{Condition, JSON, Store, StoreError};
use crate::index::Line;
use crate::limits;
use crate::timestamp::Timestamp;

/// What one worker runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OfWorker {
    /// If the worker has not renewed this by then, its leases are over, and other workers have the messages.
    valid_until: Timestamp,
    lines: Vec<Line>,
}

/// The workers, as far as they have renewed what they tell.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    /// How many there are.
    pub count: u64,
    /// What they run.
    pub lines: Vec<Line>,
}

/// Stores what the worker named `worker` runs, which may be nothing.
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
    let json = serde_json::to_vec(&OfWorker { valid_until, lines });
    let json = json.map_err(|error| StoreError::unwritable(&key, &error))?;
    store.put(&key, json, JSON, Condition::Always).await.map(drop)
}

/// Says that the worker named `worker` is no longer there.
///
/// # Errors
/// When S3 fails.
pub async fn remove(store: &Store, worker: &str) -> Result<(), StoreError> {
    store.delete(&store.keys().running(worker)).await
}

/// All workers, and what they run.
///
/// # Errors
/// When S3 fails.
pub async fn read(store: &Store) -> Result<Workers, StoreError> {
    let keys = store.list_all(&store.keys().running("")).await?.keys;
    stream::iter(keys)
        .map(|key| async move { of_worker(store, &key).await })
        .buffer_unordered(limits::READS_AT_ONCE)
        .try_fold(Workers::default(), |mut workers, of| async move {
            if let Some(of) = of {
                workers.count += 1;
                workers.lines.extend(of.lines);
            }
            Ok(workers)
        })
        .await
}

/// `None` where the worker has not renewed it, or has just deleted it.
async fn of_worker(store: &Store, key: &str) -> Result<Option<OfWorker>, StoreError> {
    let Some(object) = store.get(key, limits::MAX_SEGMENT_BYTES).await? else { return Ok(None) };
    match serde_json::from_slice::<OfWorker>(&object.bytes) {
        Ok(of) => Ok(Some(of).filter(|of| of.valid_until > Timestamp::now())),
        Err(error) => {
            tracing::error!(key, %error, "what a worker runs can't be read");
            Ok(None)
        }
    }
}
