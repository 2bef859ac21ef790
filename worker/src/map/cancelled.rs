//! Whether a map was cancelled. A worker looks every two seconds, at most, for each map that it runs chunks of.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use badlambda_shared::aws::store::Store;
use badlambda_shared::map::MapId;
use lru::LruCache;

/// How long an answer holds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Maps that are remembered.
const MOST_MAPS: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// Which maps were cancelled, as far as is known.
#[derive(Clone, Debug)]
pub(crate) struct Cancellations {
    store: Store,
    looks: Arc<Mutex<LruCache<MapId, Look>>>,
}

/// The last look for one map.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    is_cancelled: bool,
}

impl Cancellations {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, looks: Arc::new(Mutex::new(LruCache::new(MOST_MAPS))) }
    }

    /// Whether the map was cancelled, as far as S3 answers; as of two seconds ago, at most.
    pub(super) async fn is_cancelled(&self, map: &MapId) -> bool {
        if let Some(is_cancelled) = self.remembered(map) {
            return is_cancelled;
        }
        let key = self.store.keys().map_cancelled(map);
        let there = match self.store.get_part(&key, 0, 1).await {
            Ok(bytes) => !bytes.is_empty(),
            Err(error) => {
                tracing::warn!(%error, "could not look whether a map was cancelled");
                false
            }
        };
        let look = Look { at: Instant::now(), is_cancelled: there };
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).put(map.clone(), look);
        there
    }

    /// Returns once the map is cancelled.
    pub(super) async fn until_cancelled(&self, map: &MapId) {
        while !self.is_cancelled(map).await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn remembered(&self, map: &MapId) -> Option<bool> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let Look { at, is_cancelled } = *looks.get(map)?;
        // What is cancelled stays so.
        (is_cancelled || at.elapsed() < LOOK_EVERY).then_some(is_cancelled)
    }
}
