//! Code in zips, and layers: fetched and unpacked once, however many executions ask for it at the same time, and kept for later ones.

use std::io;
use std::sync::Arc;

use badlambda_shared::function::catalog::{Catalog, CatalogError};
use futures::future::try_join_all;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use crate::sandbox::{Executor, ExecutorError, Unpacked};

const KIB: u64 = 1024;

/// The packages of functions that ran last. Those that are in use stay where they are, even where they are forgotten here.
#[derive(Clone, Debug)]
pub(crate) struct Packages {
    executor: Arc<Executor>,
    /// By the SHA-256 of the zips that they were unpacked from, one over the other.
    unpacked: Cache<String, Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    package: Arc<Unpacked>,
    kib: u32,
}

/// Why there is no package to run.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PackageError {
    /// The zip can't be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It could not be unpacked here.
    #[error("could not unpack a zip: {0}")]
    Unpack(Arc<ExecutorError>),
}

impl PackageError {
    /// Whether it may work later: where there is no room now, there may be some then.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Catalog(error) => matches!(error, CatalogError::Store(error) if error.may_pass()),
            Self::Unpack(error) => {
                !matches!(&**error, ExecutorError::System(error) if error.kind() == io::ErrorKind::InvalidData)
            }
        }
    }
}

impl Packages {
    /// Keeps packages of at most so many bytes together.
    pub(crate) fn new(executor: Arc<Executor>, most_bytes: u64) -> Self {
        let unpacked = Cache::builder()
            .max_capacity(most_bytes / KIB)
            .weigher(|_: &String, kept: &Kept| kept.kib)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { executor, unpacked }
    }

    /// The package of the zips that have these SHA-256s, each unpacked over those before it. They are fetched side by side.
    pub(crate) async fn get(
        &self,
        catalog: &Catalog,
        sha256s: &[&str],
    ) -> Result<Arc<Unpacked>, PackageError> {
        let load = async {
            let zips = try_join_all(sha256s.iter().map(|sha256| catalog.zip(sha256))).await?;
            let executor = Arc::clone(&self.executor);
            let unpacked = tokio::task::spawn_blocking(move || executor.unpack(&zips)).await;
            let package = unpacked
                .unwrap_or_else(|_| Err(io::Error::other("it broke off").into()))
                .map_err(|error| PackageError::Unpack(Arc::new(error)))?;
            let kib = u32::try_from(package.bytes() / KIB + 1).unwrap_or(u32::MAX);
            Ok(Kept { package: Arc::new(package), kib })
        };
        let kept = self.unpacked.try_get_with(sha256s.join("+"), load).await;
        kept.map(|kept| kept.package).map_err(|error: Arc<PackageError>| (*error).clone())
    }
}
