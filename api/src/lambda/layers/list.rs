//! ListLayers and ListLayerVersions.

use badlambda_shared::function::layer::LayerVersion;
use badlambda_shared::function::name::LayerName;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::get::get_by_arn;
use super::runtimes::Filter;
use super::stored::Versions;
use super::{names, shown};
use crate::http::page::folders;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::markers::{self, Page, page_size};
use crate::lambda::response::{Answer, WireResult};

const MOST_ITEMS: i64 = 50;
/// Layers of a listing of S3. Those that are looked into at once each list, and read, on their own.
const NAMES_AT_ONCE: usize = 50;
const LOOKS_AT_ONCE: usize = 8;

/// Lists layers, each with the newest version that the filter lets through; or, under the same path, shows a version.
pub(crate) async fn list_or_get_by_arn(call: Call) -> WireResult {
    match call.query("find") {
        None => list(call).await,
        Some("LayerVersion") => get_by_arn(call).await,
        Some(other) => Err(Refusal::invalid(format!("find must be LayerVersion; it is {other}.")).into()),
    }
}

async fn list(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let filter = Filter::of(&call, &mut checks);
    let mut page = Page::new(page_size(&call, MOST_ITEMS, &mut checks)?);
    let mut after: Option<LayerName> = markers::read(&call)?;
    let prefix = call.app.store.keys().layers();
    while !page.is_full() {
        let (names, next) = folders(&call.app.store, &prefix, after.as_ref(), NAMES_AT_ONCE).await?;
        let found: Vec<(LayerName, Option<LayerVersion>)> = stream::iter(names)
            .map(|layer| newest(&call, layer, &filter))
            .buffered(LOOKS_AT_ONCE)
            .try_collect()
            .await?;
        for (layer, version) in found {
            let Some(version) = version else { continue };
            let shown = json!({
                "LayerName": layer,
                "LayerArn": call.app.account.layer_arn(layer.as_str()),
                "LatestMatchingVersion": shown::listed(&call.app.account, &layer, &version),
            });
            page.add(layer, shown);
        }
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(Answer::Shown(page.json("Layers")))
}

async fn newest(
    call: &Call,
    layer: LayerName,
    filter: &Filter<'_>,
) -> Result<(LayerName, Option<LayerVersion>), WireError> {
    let mut versions = Versions::newest_first(&call.app, &layer);
    let mut newest = None;
    while newest.is_none()
        && let Some(some) = versions.next().await?
    {
        newest = some.into_iter().find(|version| filter.matches(version));
    }
    Ok((layer, newest))
}

/// Lists the versions of a layer, the newest first. A layer that there is not has none.
pub(crate) async fn list_versions(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let filter = Filter::of(&call, &mut checks);
    let size = page_size(&call, MOST_ITEMS, &mut checks)?;
    let layer = names::layer(&call, checks)?;
    let mut page = Page::new(size);
    let mut versions = Versions::behind(&call.app, &layer, markers::read(&call)?);
    while !page.is_full()
        && let Some(some) = versions.next().await?
    {
        for version in some.iter().filter(|version| filter.matches(version)) {
            page.add(version.version, shown::listed(&call.app.account, &layer, version));
        }
    }
    Ok(Answer::Shown(page.json("LayerVersions")))
}
