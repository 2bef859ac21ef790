//! Layers as S3 holds them: an object for each version, of which the newest is listed first. A number belongs to whoever
//! writes its object first, and for ever: a version that is deleted leaves its object, marked as such.

use badlambda_shared::aws::store::{Condition, JSON, Written};
use badlambda_shared::function::layer::LayerVersion;
use badlambda_shared::function::name::LayerName;
use badlambda_shared::limits;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::app::App;
use crate::functions::manifest::to_json;
use crate::http::error::ApiError;
use crate::http::page::folders;
use crate::lambda::errors::{Refusal, WireError};

/// The version of this number, unless it is deleted.
pub(super) async fn version(
    app: &App,
    layer: &LayerName,
    number: u32,
) -> Result<Option<LayerVersion>, WireError> {
    let stored = read(app, &app.store.keys().layer_version(layer, number)).await?;
    Ok(stored.filter(|version| !version.deleted))
}

/// Stores a version under the first number behind all others that nobody else takes.
pub(super) async fn store_new(
    app: &App,
    layer: &LayerName,
    mut wanted: LayerVersion,
) -> Result<LayerVersion, WireError> {
    let keys = app.store.keys();
    let newest = app.store.list(&keys.layer_versions(layer), None, 1).await?;
    let newest = newest.keys.first().and_then(|key| keys.layer_version_of(key)).unwrap_or(0);
    wanted.version = newest;
    for _ in 0..limits::VERSION_TRIES {
        wanted.version = wanted.version.saturating_add(1);
        let key = keys.layer_version(layer, wanted.version);
        if let Written::Stored(_) = app.store.put(&key, to_json(&wanted)?, JSON, Condition::Absent).await? {
            return Ok(wanted);
        }
        // A write may have happened though its answer was lost.
        let taken = read(app, &key).await?;
        if taken.is_some_and(|taken| taken.publication == wanted.publication) {
            return Ok(wanted);
        }
    }
    Err(Refusal::conflict(format!(
        "Too many versions of the layer {layer} are being published at once; publish it again."
    ))
    .into())
}

/// Marks a version as deleted. There need not be one.
pub(super) async fn delete(app: &App, layer: &LayerName, number: u32) -> Result<(), WireError> {
    if let Some(version) = version(app, layer, number).await? {
        let key = app.store.keys().layer_version(layer, number);
        let mark = to_json(&LayerVersion { deleted: true, ..version })?;
        app.store.put(&key, mark, JSON, Condition::Always).await?;
    }
    Ok(())
}

async fn read(app: &App, key: &str) -> Result<Option<LayerVersion>, WireError> {
    let Some(object) = app.store.get(key, limits::MAX_MANIFEST_BYTES).await? else { return Ok(None) };
    let version = serde_json::from_slice(&object.bytes)
        .map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))?;
    Ok(Some(version))
}

/// A layer's versions that are not deleted, the newest first, some at a time.
pub(super) struct Versions<'a> {
    app: &'a App,
    layer: &'a LayerName,
    behind: Option<String>,
    at_once: usize,
    is_over: bool,
}

impl<'a> Versions<'a> {
    /// Those older than the version of this number, or all.
    pub(super) fn behind(app: &'a App, layer: &'a LayerName, number: Option<u32>) -> Self {
        let behind = number.map(|number| app.store.keys().layer_version(layer, number));
        Self { app, layer, behind, at_once: limits::READS_AT_ONCE, is_over: false }
    }

    /// All, for who expects to need no more than the newest one.
    pub(super) fn newest_first(app: &'a App, layer: &'a LayerName) -> Self {
        Self { at_once: 1, ..Self::behind(app, layer, None) }
    }

    /// The next ones, which may be none; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<LayerVersion>>, WireError> {
        if self.is_over {
            return Ok(None);
        }
        let app = self.app;
        let prefix = app.store.keys().layer_versions(self.layer);
        let listing = app.store.list(&prefix, self.behind.as_deref(), self.at_once).await?;
        let read: Vec<Option<LayerVersion>> = stream::iter(listing.keys)
            .map(|key| async move { read(app, &key).await })
            .buffered(limits::READS_AT_ONCE)
            .try_collect()
            .await?;
        self.is_over = listing.next.is_none();
        (self.behind, self.at_once) = (listing.next, limits::READS_AT_ONCE);
        Ok(Some(read.into_iter().flatten().filter(|version| !version.deleted).collect()))
    }
}

/// The bytes of all zips, one for each version that is not deleted.
pub(crate) async fn zipped_bytes(app: &App) -> Result<u64, WireError> {
    let (mut bytes, mut after): (u64, Option<LayerName>) = (0, None);
    loop {
        let prefix = app.store.keys().layers();
        let (layers, next) = folders(&app.store, &prefix, after.as_ref(), limits::LISTED_KEYS).await?;
        for layer in &layers {
            let mut versions = Versions::behind(app, layer, None);
            while let Some(some) = versions.next().await? {
                bytes += some.iter().map(|version| version.zip.code_bytes).sum::<u64>();
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(bytes),
        }
    }
}
