//! Finding the version that a request is about.

use std::sync::Arc;

use badlambda_shared::function::{Manifest, UNPUBLISHED, Version};

use super::latest::Latest;
use crate::lambda::call::Call;
use crate::lambda::errors::{WireError, no_function};
use crate::lambda::names::{Asked, Qualified};

/// What a request is about: a version of a function, or `$LATEST`.
pub(crate) struct Found {
    pub(crate) manifest: Manifest,
    /// `None` for `$LATEST`.
    pub(crate) version: Option<Arc<Version>>,
}

/// Finds what was asked for; where there is none, `missing` is the ARN that is told.
pub(crate) async fn find(call: &Call, asked: &Asked, missing: &str) -> Result<Found, WireError> {
    let manifest = call.manifest(asked, missing).await?.manifest;
    let number = match asked.qualified() {
        Qualified::Latest => UNPUBLISHED,
        Qualified::Ref(version) => {
            let target = manifest.resolve(Some(&version)).ok_or_else(|| no_function(missing))?;
            target.version
        }
        Qualified::Nothing => return Err(no_function(missing)),
    };
    let version = version_of(call, &manifest, number).await?;
    Ok(Found { manifest, version })
}

/// The version of this number, which the manifest has; `None` for `$LATEST`.
pub(crate) async fn version_of(
    call: &Call,
    manifest: &Manifest,
    number: u32,
) -> Result<Option<Arc<Version>>, WireError> {
    Ok(match number {
        UNPUBLISHED => None,
        latest if latest == manifest.latest.version => Some(Arc::new(manifest.latest.clone())),
        other => Some(call.app.catalog.version(&manifest.name, other).await?),
    })
}

impl Found {
    /// Code, config and settings of it.
    pub(crate) fn latest(&self) -> Latest {
        match &self.version {
            None => Latest::of(&self.manifest),
            Some(version) => Latest {
                content: version.content.clone(),
                settings: version.lambda.as_deref().cloned().unwrap_or_default(),
            },
        }
    }
}
