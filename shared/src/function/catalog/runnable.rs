//! Reading what an execution runs, whichever way its message names it.

use std::sync::Arc;

use super::{Catalog, CatalogError, Code, MAX_METADATA_BYTES, Runnable};
use crate::execution::message::ExecutionRequest;
use crate::function::name::{FunctionName, Revision, VersionRef};
use crate::function::{CodeType, Manifest, OneShot, RevisionContent, UNPUBLISHED, Version};
use crate::map::ChunkRequest;

/// Bytes that JSON may take for each byte of text.
const MAX_ESCAPED: u64 = 6;

impl Catalog {
    /// What the execution runs: the version that it names, or the latest, or the revision that it names alone.
    ///
    /// # Errors
    /// When there is no such thing, or S3 fails.
    pub async fn runnable(&self, request: &ExecutionRequest) -> Result<Arc<Runnable>, CatalogError> {
        let ExecutionRequest { function, version, revision, id, .. } = request;
        match (version, revision) {
            (None, Some(revision)) if function.is_one_shot() => self.one_shot(revision).await,
            (None, Some(revision)) => {
                let content = self.revision(function, revision).await?;
                self.with_code(None, revision.clone(), &content).await
            }
            (version, named_beside) => {
                let version = self.resolve(function, version.as_ref(), Some(id)).await?;
                self.runnable_version(function, &version, named_beside.as_ref()).await
            }
        }
    }

    /// What a chunk of a map runs.
    ///
    /// # Errors
    /// When there is no such thing, or S3 fails.
    pub async fn runnable_of_chunk(&self, chunk: &ChunkRequest) -> Result<Arc<Runnable>, CatalogError> {
        let ChunkRequest { function, version, revision, .. } = chunk;
        if *version == UNPUBLISHED {
            let content = self.revision(function, revision).await?;
            return self.with_code(None, revision.clone(), &content).await;
        }
        let version = self.resolve(function, Some(&VersionRef::Number(*version)), None).await?;
        self.runnable_version(function, &version, Some(revision)).await
    }

    async fn runnable_version(
        &self,
        function: &FunctionName,
        version: &Version,
        named_beside: Option<&Revision>,
    ) -> Result<Arc<Runnable>, CatalogError> {
        match named_beside {
            Some(revision) if *revision != version.revision => Err(CatalogError::OtherRevision {
                function: function.clone(),
                version: version.version,
                revision: revision.clone(),
            }),
            _ => {
                let (number, revision) = (version.number(), version.revision.clone());
                self.with_code(number, revision, &version.content).await
            }
        }
    }

    async fn with_code(
        &self,
        version: Option<u32>,
        revision: Revision,
        content: &RevisionContent,
    ) -> Result<Arc<Runnable>, CatalogError> {
        let code = match content.code_type {
            CodeType::Ruby => Code::Ruby(self.code(&content.code_sha256).await?),
            CodeType::Zip => Code::Zip(content.code_sha256.clone()),
        };
        let (form, config) = (content.form, content.config.clone());
        Ok(Arc::new(Runnable { version, revision, form, config, code }))
    }

    /// A revision of a function, whether or not a version numbers it.
    ///
    /// # Errors
    /// When the function does not have it, or S3 fails.
    pub async fn revision(
        &self,
        name: &FunctionName,
        revision: &Revision,
    ) -> Result<Arc<RevisionContent>, CatalogError> {
        let remembered = self.manifest(name).await?;
        match self.revision_of(&remembered, revision).await {
            // The function may have been deleted and created anew a moment ago.
            Err(CatalogError::NoRevision { .. }) => {
                self.forget(name).await;
                let present = self.manifest(name).await?;
                self.revision_of(&present, revision).await
            }
            found => found,
        }
    }

    async fn revision_of(
        &self,
        manifest: &Manifest,
        revision: &Revision,
    ) -> Result<Arc<RevisionContent>, CatalogError> {
        let Manifest { name, latest, created_at, .. } = manifest;
        if latest.revision == *revision {
            return Ok(Arc::new(latest.content.clone()));
        }
        let key = self.store.keys().revision(name, *created_at, revision);
        let missing = || CatalogError::NoRevision { function: name.clone(), revision: revision.clone() };
        let load = async { self.read(&key, MAX_METADATA_BYTES).await?.map(Arc::new).ok_or_else(missing) };
        let loaded = self.revisions.try_get_with_by_ref(&key, load).await;
        loaded.map_err(|error: Arc<CatalogError>| (*error).clone())
    }

    /// What a one-shot execution runs.
    async fn one_shot(&self, revision: &Revision) -> Result<Arc<Runnable>, CatalogError> {
        let load = async {
            let key = self.store.keys().one_shot(revision);
            let most = self.max_code_bytes * MAX_ESCAPED + MAX_METADATA_BYTES;
            let one_shot: OneShot = self.read(&key, most).await?.ok_or(CatalogError::NoOneShot)?;
            let OneShot { code, form, config } = one_shot;
            let (revision, code) = (revision.clone(), Code::Ruby(Arc::from(code)));
            Ok(Arc::new(Runnable { version: None, revision, form, config, code }))
        };
        let loaded = self.one_shots.try_get_with_by_ref(revision, load).await;
        loaded.map_err(|error: Arc<CatalogError>| (*error).clone())
    }
}
