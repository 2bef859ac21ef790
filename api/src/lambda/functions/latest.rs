//! What `$LATEST` is, how it changes, and the revision ids of it and of versions.
//!
//! A revision id is made of what must change it. So a function that only the rest of the API has changed has one, too, and
//! the same from every API.

use badlambda_shared::function::lambda::{LambdaFunction, LambdaSettings};
use badlambda_shared::function::{Manifest, RevisionContent, UNPUBLISHED, Unpublished, Version};
use badlambda_shared::timestamp::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// What `$LATEST` is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) content: RevisionContent,
    pub(crate) settings: LambdaSettings,
}

impl Latest {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let settings = manifest.lambda.as_ref().map(|lambda| lambda.settings.clone());
        Self { content: manifest.newest().content, settings: settings.unwrap_or_default() }
    }

    /// The manifest with this as `$LATEST`, as of `now`. Though it may be what was there, it has another revision id.
    pub(crate) fn put_into(self, manifest: &Manifest, now: Timestamp) -> Manifest {
        let Self { content, settings } = self;
        let mut changed = with_lambda(manifest, |lambda| {
            lambda.settings = settings;
            lambda.change = new_change();
            lambda.modified_at = Some(now);
        });
        changed.updated_at = now;
        let latest = &manifest.latest;
        if manifest.has(latest.version) && latest.content == content {
            changed.unpublished = None;
            return changed;
        }
        let revision = content.revision();
        if latest.version == UNPUBLISHED {
            changed.latest = unnumbered(manifest, &content, now);
        }
        changed.unpublished = Some(Unpublished { revision, content, created_at: now });
        changed
    }
}

/// As the latest version of a function that has none.
pub(crate) fn unnumbered(manifest: &Manifest, content: &RevisionContent, now: Timestamp) -> Version {
    Version {
        function: manifest.name.clone(),
        version: UNPUBLISHED,
        revision: content.revision(),
        content: content.clone(),
        created_at: now,
        lambda: None,
    }
}

/// The manifest with what only this API knows changed.
pub(crate) fn with_lambda(manifest: &Manifest, change: impl FnOnce(&mut LambdaFunction)) -> Manifest {
    let mut changed = manifest.clone();
    change(changed.lambda.get_or_insert_default());
    changed
}

/// Whether the latest version is the same as `$LATEST`. A description alone does not count.
pub(crate) fn is_numbered(manifest: &Manifest) -> bool {
    let of_latest = LambdaSettings { description: String::new(), ..Latest::of(manifest).settings };
    let of_version = manifest.latest.lambda.as_deref().cloned().unwrap_or_default();
    manifest.has(manifest.latest.version)
        && manifest.unpublished.is_none()
        && of_latest == LambdaSettings { description: String::new(), ..of_version }
}

/// What no other change has.
pub(crate) fn new_change() -> String {
    Uuid::new_v4().to_string()
}

/// The revision id of `$LATEST`: another one after each change of it, and after each publishing of a version.
pub(crate) fn revision_id(manifest: &Manifest) -> String {
    let change = manifest.lambda.as_ref().map(|lambda| lambda.change.as_str()).unwrap_or_default();
    let newest = manifest.newest();
    id_of(&[
        "latest",
        manifest.name.as_str(),
        &manifest.created_at.to_string(),
        &manifest.latest.version.to_string(),
        newest.revision.as_str(),
        change,
    ])
}

/// The revision id of a version, which never changes.
pub(crate) fn revision_id_of_version(version: &Version) -> String {
    let number = version.version.to_string();
    id_of(&["version", version.function.as_str(), &version.created_at.to_string(), &number])
}

/// A UUID for these parts, always the same one.
pub(crate) fn id_of(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| {
        digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The manifest as it is to be once this version is deleted: `$LATEST` stays what it is, with no number where it was this
/// one.
pub(crate) fn unpublish(manifest: &Manifest, number: u32) -> Manifest {
    let mut changed = manifest.clone();
    if manifest.latest.version == number && manifest.unpublished.is_none() {
        let Version { revision, content, created_at, .. } = manifest.latest.clone();
        changed.unpublished = Some(Unpublished { revision, content, created_at });
    }
    changed
}
