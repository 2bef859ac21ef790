//! A function's manifest, the one object of it that changes: read as it is now, and replaced only as it was read.

use std::time::Duration;

use badlambda_shared::aws::retry::Delays;
use badlambda_shared::aws::store::{Condition, JSON, Written};
use badlambda_shared::function::Manifest;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use serde::Serialize;

use crate::app::App;
use crate::http::error::ApiError;

/// A manifest as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) manifest: Manifest,
    pub(crate) etag: String,
}

/// The manifest as it is now, that of a deleted function included.
pub(crate) async fn read(app: &App, function: &FunctionName) -> Result<Option<Current>, ApiError> {
    let key = app.store.keys().manifest(function);
    let Some(object) = app.store.get(&key, limits::MAX_MANIFEST_BYTES).await? else { return Ok(None) };
    let manifest = serde_json::from_slice(&object.bytes)
        .map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))?;
    Ok(Some(Current { manifest, etag: object.etag }))
}

/// The manifest as it is now, of a function that is not deleted.
pub(crate) async fn live(app: &App, function: &FunctionName) -> Result<Current, ApiError> {
    read(app, function)
        .await?
        .filter(|current| !current.manifest.deleted)
        .ok_or_else(|| ApiError::FunctionNotFound(function.clone()))
}

/// Writes `wanted` in the place of `current`. Afterwards this API serves what was written.
pub(crate) async fn replace(
    app: &App,
    current: Option<&Current>,
    wanted: &Manifest,
) -> Result<Written, ApiError> {
    let key = app.store.keys().manifest(&wanted.name);
    let condition = current.map_or(Condition::Absent, |current| Condition::Unchanged(current.etag.as_str()));
    let written = app.store.put(&key, to_json(wanted)?, JSON, condition).await;
    app.catalog.forget(&wanted.name).await;
    Ok(written?)
}

/// Changes the manifest of a function that is not deleted; `change` answers `None` where it is as wanted, and checks what
/// the request makes a condition. Starts again where another change comes between.
pub(crate) async fn edit<E: From<ApiError>>(
    app: &App,
    function: &FunctionName,
    change: impl Fn(&Manifest) -> Result<Option<Manifest>, E>,
) -> Result<Manifest, E> {
    let mut delays = delays();
    let mut tried: Option<Manifest> = None;
    for _ in 0..limits::PUBLISH_TRIES {
        let current = read(app, function).await?;
        // A write may have happened though its answer was lost.
        if let Some(tried) = tried.take_if(|tried| current.as_ref().is_some_and(|now| now.manifest == *tried))
        {
            return Ok(tried);
        }
        let current = current
            .filter(|current| !current.manifest.deleted)
            .ok_or_else(|| ApiError::FunctionNotFound(function.clone()))?;
        let Some(wanted) = change(&current.manifest)? else { return Ok(current.manifest) };
        if let Written::Stored(_) = replace(app, Some(&current), &wanted).await? {
            return Ok(wanted);
        }
        tried = Some(wanted);
        tokio::time::sleep(delays.next_delay()).await;
    }
    Err(ApiError::ConcurrentChange(function.clone()).into())
}

/// The pauses before a change starts again.
pub(crate) fn delays() -> Delays {
    Delays::between(Duration::from_millis(5), Duration::from_millis(200))
}

/// `value` as S3 holds it.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|error| ApiError::Internal(format!("could not write JSON: {error}")))
}
