//! Reading functions: manifests from memory for a few seconds; versions, revisions and code, which never change, for good.

use std::sync::Arc;

use futures::future::try_join_all;
use moka::future::Cache;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::aws::store::{Store, StoreError};
use crate::execution::id::ExecutionId;
use crate::function::alias::AliasTarget;
use crate::function::name::{FunctionName, Revision, VersionRef};
use crate::function::{CodeType, Form, FunctionConfig, Manifest, RevisionContent, UNPUBLISHED, Version};
use crate::limits;
use crate::process::metrics::{MANIFEST_LOOKUPS, MANIFEST_READS};

mod runnable;

const MANIFESTS: u64 = 10_000;
const VERSIONS: u64 = 10_000;
const REVISIONS: u64 = 10_000;
const CODE_BYTES: u64 = 64 * 1024 * 1024;
const ONE_SHOT_BYTES: u64 = 16 * 1024 * 1024;
/// What a remembered revision takes beside its code, more or less.
const REVISION_BYTES: usize = 1024;
const MAX_METADATA_BYTES: u64 = 1024 * 1024;

/// Something about a function could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// There is no such function.
    #[error("there is no function {0}")]
    NoFunction(FunctionName),
    /// The function has no such version or alias.
    #[error("the function {function} has no version {version}")]
    NoVersion {
        /// The function.
        function: FunctionName,
        /// What was asked for: a number, an alias, or `latest`.
        version: String,
    },
    /// The function has no such revision.
    #[error(
        "the function {function} has no revision {revision}; send one that the API shows of its versions"
    )]
    NoRevision {
        /// The function.
        function: FunctionName,
        /// What was asked for.
        revision: Revision,
    },
    /// The version is not of the revision that was named beside it.
    #[error(
        "version {version} of the function {function} is not of the revision {revision}; send one of the two alone"
    )]
    OtherRevision {
        /// The function.
        function: FunctionName,
        /// The version's number.
        version: u32,
        /// What was named beside it.
        revision: Revision,
    },
    /// The code of a one-shot execution is not there, or not any more.
    #[error("the code of this one-shot execution is not stored, or no longer; send it again")]
    NoOneShot,
    /// S3 failed; it may work later.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// What S3 holds is not what was written there.
    #[error("{key} is damaged: {detail}")]
    Damaged {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl From<StoreError> for CatalogError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// What an execution runs.
#[derive(Debug)]
pub struct Runnable {
    /// The number of the version; `None` where there is none, or the revision alone was asked for.
    pub version: Option<u32>,
    /// The name of what follows. What is prepared for one execution serves others of the same revision.
    pub revision: Revision,
    /// How the code is run.
    pub form: Form,
    /// What the code may use.
    pub config: FunctionConfig,
    /// The code.
    pub code: Code,
}

/// The code of what an execution runs.
#[derive(Clone, Debug)]
pub enum Code {
    /// One Ruby file.
    Ruby(Arc<str>),
    /// A zip, by the SHA-256 under which it is stored. It is too large to be remembered here.
    Zip(String),
}

/// Functions, their versions and their code, as read from the store.
#[derive(Clone, Debug)]
pub struct Catalog {
    store: Store,
    manifests: Cache<FunctionName, Arc<Manifest>>,
    versions: Cache<(FunctionName, u32), Arc<Version>>,
    /// By their keys.
    revisions: Cache<String, Arc<RevisionContent>>,
    code: Cache<String, Arc<str>>,
    one_shots: Cache<Revision, Arc<Runnable>>,
    max_code_bytes: u64,
}

impl Catalog {
    /// A catalog over `store`, for code of at most `max_code_bytes`.
    pub fn new(store: Store, max_code_bytes: u64) -> Self {
        let weigh = |_: &String, code: &Arc<str>| u32::try_from(code.len()).unwrap_or(u32::MAX);
        let weigh_one_shot = |_: &Revision, one_shot: &Arc<Runnable>| {
            let bytes = match &one_shot.code {
                Code::Ruby(code) => code.len(),
                Code::Zip(sha256) => sha256.len(),
            };
            u32::try_from(bytes + REVISION_BYTES).unwrap_or(u32::MAX)
        };
        Self {
            store,
            manifests: Cache::builder().max_capacity(MANIFESTS).time_to_live(limits::MANIFEST_TTL).build(),
            versions: Cache::new(VERSIONS),
            revisions: Cache::new(REVISIONS),
            code: Cache::builder().max_capacity(CODE_BYTES).weigher(weigh).build(),
            one_shots: Cache::builder().max_capacity(ONE_SHOT_BYTES).weigher(weigh_one_shot).build(),
            max_code_bytes,
        }
    }

    /// The function's manifest, at most a few seconds old.
    pub async fn manifest(&self, name: &FunctionName) -> Result<Arc<Manifest>, CatalogError> {
        MANIFEST_LOOKUPS.count([]);
        let load = async {
            MANIFEST_READS.count([]);
            let key = self.store.keys().manifest(name);
            let manifest: Option<Manifest> = self.read(&key, MAX_METADATA_BYTES).await?;
            let live = manifest.filter(|manifest| !manifest.deleted);
            live.map(Arc::new).ok_or_else(|| CatalogError::NoFunction(name.clone()))
        };
        self.manifests.try_get_with_by_ref(name, load).await.map_err(|error| (*error).clone())
    }

    /// How many executions of the function may run at once, where that is limited. 0 refuses invocations, and no execution
    /// that was taken on.
    pub async fn cap(&self, name: &FunctionName) -> Result<Option<u32>, CatalogError> {
        let manifest = match self.manifests.get(name).await {
            Some(remembered) => remembered,
            None => self.manifest(name).await?,
        };
        let reserved = manifest.lambda.as_ref().and_then(|lambda| lambda.reserved_concurrency);
        Ok(reserved.filter(|cap| *cap > 0))
    }

    /// Forgets what is remembered of a function that just changed.
    pub async fn forget(&self, name: &FunctionName) {
        self.manifests.invalidate(name).await;
    }

    /// What `version` names, or the latest version. What is remembered may not know it, since it may have been published a
    /// moment ago: then it is looked for anew.
    pub async fn target(
        &self,
        name: &FunctionName,
        version: Option<&VersionRef>,
    ) -> Result<AliasTarget, CatalogError> {
        self.target_in_manifest(name, version).await.map(|(target, _)| target)
    }

    /// The same, and the manifest that says it.
    async fn target_in_manifest(
        &self,
        name: &FunctionName,
        version: Option<&VersionRef>,
    ) -> Result<(AliasTarget, Arc<Manifest>), CatalogError> {
        // A number goes by the manifest, too: a function that is deleted runs no more.
        let remembered = self.manifest(name).await?;
        if let Some(target) = remembered.resolve(version) {
            return Ok((target, remembered));
        }
        self.forget(name).await;
        let present = self.manifest(name).await?;
        let target = present.resolve(version).ok_or_else(|| no_version(name, version))?;
        Ok((target, present))
    }

    /// The version that `version` names, or what `$LATEST` is, which may have no number. Of an alias that shares, it is the one that takes what is left, or
    /// the one that `execution` runs.
    pub async fn resolve(
        &self,
        name: &FunctionName,
        version: Option<&VersionRef>,
        execution: Option<&ExecutionId>,
    ) -> Result<Arc<Version>, CatalogError> {
        let (target, manifest) = self.target_in_manifest(name, version).await?;
        let number = execution.map_or(target.version, |id| target.choose(id));
        self.numbered(&manifest, number).await
    }

    /// The version of this number, which an alias or `$LATEST` led to.
    async fn numbered(&self, manifest: &Manifest, number: u32) -> Result<Arc<Version>, CatalogError> {
        match number {
            UNPUBLISHED => Ok(Arc::new(manifest.newest())),
            latest if latest == manifest.latest.version => Ok(Arc::new(manifest.latest.clone())),
            other => self.version(&manifest.name, other).await,
        }
    }

    /// Every version that `target`, which was found before, may choose.
    pub async fn versions_of(
        &self,
        name: &FunctionName,
        target: &AliasTarget,
    ) -> Result<Vec<Arc<Version>>, CatalogError> {
        let manifest = self.manifest(name).await?;
        try_join_all(target.versions().map(|number| self.numbered(&manifest, number))).await
    }

    /// One immutable version.
    pub async fn version(&self, name: &FunctionName, number: u32) -> Result<Arc<Version>, CatalogError> {
        let load = async {
            let key = self.store.keys().version(name, number);
            let missing = || no_version(name, Some(&VersionRef::Number(number)));
            let version: Version = self.read(&key, MAX_METADATA_BYTES).await?.ok_or_else(missing)?;
            Ok(Arc::new(version))
        };
        let key = (name.clone(), number);
        self.versions.try_get_with(key, load).await.map_err(|error: Arc<CatalogError>| (*error).clone())
    }

    /// A Ruby file, by its SHA-256.
    pub async fn code(&self, code_sha256: &str) -> Result<Arc<str>, CatalogError> {
        let load = async {
            let key = self.store.keys().code(code_sha256, CodeType::Ruby);
            let object = self.store.get(&key, self.max_code_bytes).await?;
            let object = object.ok_or_else(|| damaged(&key, "it is gone"))?;
            let code = String::from_utf8(object.bytes).map_err(|error| damaged(&key, error))?;
            Ok(Arc::from(code))
        };
        let loaded = self.code.try_get_with_by_ref(code_sha256, load).await;
        loaded.map_err(|error: Arc<CatalogError>| (*error).clone())
    }

    /// A zip with code, by its SHA-256. It is read anew each time.
    ///
    /// # Errors
    /// When S3 fails, or holds something else.
    pub async fn zip(&self, code_sha256: &str) -> Result<Vec<u8>, CatalogError> {
        let key = self.store.keys().code(code_sha256, CodeType::Zip);
        let object = self.store.get(&key, limits::MAX_ZIP_BYTES).await?;
        let zip = object.ok_or_else(|| damaged(&key, "it is gone"))?.bytes;
        if hex::encode(Sha256::digest(&zip)) != code_sha256 {
            return Err(damaged(&key, "its SHA-256 is another one"));
        }
        Ok(zip)
    }

    async fn read<T: DeserializeOwned>(&self, key: &str, most: u64) -> Result<Option<T>, CatalogError> {
        let Some(object) = self.store.get(key, most).await? else { return Ok(None) };
        serde_json::from_slice(&object.bytes).map(Some).map_err(|error| damaged(key, error))
    }
}

fn damaged(key: &str, detail: impl ToString) -> CatalogError {
    CatalogError::Damaged { key: key.to_owned(), detail: detail.to_string() }
}

fn no_version(name: &FunctionName, version: Option<&VersionRef>) -> CatalogError {
    let wanted = version.map_or_else(|| "latest".to_owned(), ToString::to_string);
    CatalogError::NoVersion { function: name.clone(), version: wanted }
}
