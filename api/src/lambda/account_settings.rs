//! GetAccountSettings: how much there may be, and how much there is.

use std::sync::Arc;

use badlambda_shared::function::Manifest;
use badlambda_shared::function::catalog::CatalogError;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::call::Call;
use super::errors::WireError;
use super::layers::zipped_bytes;
use super::response::{Answer, WireResult};
use crate::app::App;
use crate::http::page::folders;

/// As AWS has it. Here, the workers' slots are what there is.
pub(super) const CONCURRENT_EXECUTIONS: u32 = 1000;
const TOTAL_CODE_SIZE: u64 = 80_530_636_800;

/// Shows limits and usage.
pub(crate) async fn get(call: Call) -> WireResult {
    let manifests = manifests(&call.app).await?;
    let mut code_bytes = zipped_bytes(&call.app).await?;
    let mut reserved = 0;
    for manifest in &manifests {
        code_bytes += code_bytes_of(&call.app, manifest).await?;
        reserved += manifest.lambda.as_ref().and_then(|lambda| lambda.reserved_concurrency).unwrap_or(0);
    }
    Ok(Answer::Shown(json!({
        "AccountLimit": {
            "CodeSizeUnzipped": limits::MAX_UNPACKED_BYTES,
            "CodeSizeZipped": limits::MAX_ZIP_BYTES,
            "ConcurrentExecutions": CONCURRENT_EXECUTIONS,
            "TotalCodeSize": TOTAL_CODE_SIZE,
            "UnreservedConcurrentExecutions": CONCURRENT_EXECUTIONS.saturating_sub(reserved),
        },
        "AccountUsage": {"FunctionCount": manifests.len(), "TotalCodeSize": code_bytes},
    })))
}

/// Bytes of the code of `$LATEST` and of every version.
async fn code_bytes_of(app: &App, manifest: &Manifest) -> Result<u64, WireError> {
    let mut bytes = manifest.newest().content.code_bytes;
    let numbers: Vec<u32> =
        (manifest.first_version..=manifest.latest.version).filter(|number| manifest.has(*number)).collect();
    for number in numbers {
        bytes += app.catalog.version(&manifest.name, number).await?.content.code_bytes;
    }
    Ok(bytes)
}

async fn manifests(app: &App) -> Result<Vec<Arc<Manifest>>, WireError> {
    let mut all = vec![];
    let mut after: Option<FunctionName> = None;
    loop {
        let prefix = app.store.keys().functions();
        let (names, next) = folders(&app.store, &prefix, after.as_ref(), limits::LISTED_KEYS).await?;
        let read: Vec<_> = stream::iter(names)
            .map(|name| async move {
                match app.catalog.manifest(&name).await {
                    Ok(manifest) => Ok(Some(manifest)),
                    Err(CatalogError::NoFunction(_)) => Ok(None),
                    Err(error) => Err(WireError::from(error)),
                }
            })
            .buffered(limits::READS_AT_ONCE)
            .try_filter_map(|manifest| async { Ok(manifest) })
            .try_collect()
            .await?;
        all.extend(read);
        match next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}
