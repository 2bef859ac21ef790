//! How far a map is, counted by what workers have stored of its chunks.
//!
//! A chunk's part is not read again once it is closed. So a look costs a list of the parts from the first chunk on that is
//! not complete, and the heads of those that are new or open.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use badlambda_shared::map::{Cancelled, Manifest, Map, MapId, MapStatus, PartHead};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use lru::LruCache;

use super::counts::Counts;
use crate::app::App;
use crate::executions::expire::outlived_retention;
use crate::http::error::ApiError;

/// Maps of which an API remembers what it has counted: a byte for each chunk, and some more for those that run.
const MOST_MAPS: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// Heads that are read at once.
const READS_AT_ONCE: usize = 64;
/// Who asks sooner is told the same.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The maps that were asked for lately.
#[derive(Debug)]
pub(crate) struct Maps(Mutex<LruCache<MapId, Arc<Progress>>>);

/// How far a map is, as far as was last.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) manifest: Manifest,
    last_look: tokio::sync::Mutex<Look>,
}

/// What the last look has shown.
#[derive(Debug)]
struct Look {
    counts: Counts,
    cancelled: Option<Cancelled>,
    looked_at: Option<Instant>,
}

impl Maps {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(MOST_MAPS)))
    }

    /// The map of this id, as far as was last.
    pub(super) async fn find(
        &self,
        app: &App,
        function: &FunctionName,
        id: &MapId,
    ) -> Result<Arc<Progress>, ApiError> {
        if id.issued_at(function).is_none() {
            return Err(ApiError::MapNotFound(function.clone()));
        }
        if let Some(progress) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(Arc::clone(progress));
        }
        let manifest = read_manifest(app, function, id).await?;
        let look = Look { counts: Counts::of(&manifest), cancelled: None, looked_at: None };
        let progress = Arc::new(Progress { manifest, last_look: tokio::sync::Mutex::new(look) });
        let mut maps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(maps.get_or_insert(id.clone(), || progress)))
    }
}

/// The map's manifest.
pub(super) async fn read_manifest(
    app: &App,
    function: &FunctionName,
    id: &MapId,
) -> Result<Manifest, ApiError> {
    stored_manifest(app, id).await?.ok_or_else(|| ApiError::MapNotFound(function.clone()))
}

/// The map's manifest; `None` where not all of its inputs are stored.
pub(super) async fn stored_manifest(app: &App, id: &MapId) -> Result<Option<Manifest>, ApiError> {
    let key = app.store.keys().map(id);
    let Some(object) = app.store.get(&key, limits::MAX_MAP_MANIFEST_BYTES).await? else { return Ok(None) };
    let manifest = serde_json::from_slice(&object.bytes);
    manifest.map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))
}

impl Progress {
    /// The map as it stands.
    pub(super) async fn map(&self, app: &App) -> Result<Map, ApiError> {
        let mut last = self.last_look.lock().await;
        if last.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.look(app, &mut last).await?;
            last.looked_at = Some(Instant::now());
        }
        let map = last.counts.map(&self.manifest, last.cancelled);
        drop(last);
        self.if_expired(app, map).await
    }

    /// Looks again at the next call, whatever was last.
    pub(super) async fn forget_look(&self) {
        self.last_look.lock().await.looked_at = None;
    }

    async fn look(&self, app: &App, last: &mut Look) -> Result<(), ApiError> {
        if last.counts.is_complete() {
            return Ok(());
        }
        let id = &self.manifest.id;
        let keys = app.store.keys();
        // Before the parts: what a worker has stored before it was cancelled is counted.
        if last.cancelled.is_none()
            && let Some(object) = app.store.get(&keys.map_cancelled(id), limits::MAX_MANIFEST_BYTES).await?
        {
            let damaged =
                |error| ApiError::Internal(format!("{} is damaged: {error}", keys.map_cancelled(id)));
            last.cancelled = Some(serde_json::from_slice(&object.bytes).map_err(damaged)?);
        }
        let (folder, mut after) = (
            keys.map_results(id),
            last.counts.list_after().map(|(chunk, part)| keys.map_part(id, chunk, part)),
        );
        loop {
            let page = app.store.list(&folder, after.as_deref(), limits::LISTED_KEYS).await?;
            let parts = page.keys.iter().filter_map(|key| keys.map_part_of(key));
            let unknown: Vec<(u32, u32)> = parts.filter(|part| !last.counts.is_closed(*part)).collect();
            let read = async |(chunk, part)| {
                let bytes =
                    app.store.get_part(&keys.map_part(id, chunk, part), 0, PartHead::MAX_BYTES).await?;
                let head = PartHead::read(&bytes);
                let head = head.inspect_err(|error| tracing::error!(map = %id, chunk, part, %error, "a part of a map's results can't be read"));
                Ok::<_, ApiError>(((chunk, part), head.ok()))
            };
            // In their order: with the last part of a chunk, those before it are counted.
            let mut heads = stream::iter(unknown).map(read).buffered(READS_AT_ONCE);
            while let Some((part, head)) = heads.try_next().await? {
                if let Some(head) = head {
                    last.counts.note(part, head);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The map, or, where the queue can't have its messages any more, as one of which the rest has failed so.
    async fn if_expired(&self, app: &App, mut map: Map) -> Result<Map, ApiError> {
        if map.status.is_final() {
            return Ok(map);
        }
        if let Some(retention) = outlived_retention(app, map.submitted_at).await? {
            let left = std::mem::take(&mut map.queued) + std::mem::take(&mut map.running);
            map.failed += left;
            *map.kinds.entry(ErrorKind::Expired).or_default() += left;
            map.status = MapStatus::Finished;
            map.eta_seconds = None;
            map.finished_at = Some(map.submitted_at.plus(retention));
        }
        Ok(map)
    }
}
