//! Functions as the contract shows them and as S3 holds them.

pub mod account;
pub mod alias;
pub mod catalog;
pub mod concurrency;
mod config;
pub mod event_sources;
mod handler;
pub mod lambda;
pub mod layer;
pub mod name;
pub mod package;
mod revision;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::function::alias::AliasTarget;
use crate::function::name::{Alias, FunctionName, Revision, VersionRef};
use crate::timestamp::Timestamp;

pub use self::config::{Compatibility, ConfigFieldError, Form, FunctionConfig, StoreResult};
pub use self::handler::Handler;
use self::lambda::LambdaFunction;
pub use self::revision::{CodeType, RevisionContent, Version};

/// Code and config of one-shot executions, as S3 holds them under their revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneShot {
    /// The Ruby code.
    pub code: String,
    /// How the code is run.
    pub form: Form,
    /// What the code may use.
    pub config: FunctionConfig,
}

/// A function's manifest, as S3 holds it: the only object about a function that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The function's name.
    pub name: FunctionName,
    /// The latest version, in full, so that the common case needs no second read.
    pub latest: Version,
    /// Movable names for versions.
    pub aliases: BTreeMap<Alias, AliasTarget>,
    /// When the function was first created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// A deleted function keeps its manifest: a later one of its name goes on counting versions, so that a
    /// version, once published, never means other code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The first version that counts; those before belong to a deleted function of the same name.
    #[serde(default = "from_the_beginning")]
    pub first_version: u32,
    /// Versions behind the first one that were deleted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deleted_versions: BTreeSet<u32>,
    /// What `$LATEST` is where no version numbers it. A function that was never published has the same as its latest
    /// version, of which the number is [`UNPUBLISHED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpublished: Option<Unpublished>,
    /// What only AWS Lambda's wire API knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<Box<LambdaFunction>>,
}

/// Stands for a version's number where there is none: an alias of this points at `$LATEST`.
pub const UNPUBLISHED: u32 = 0;

/// Code and config that no version numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpublished {
    /// Their revision.
    pub revision: Revision,
    /// Code and config.
    #[serde(flatten)]
    pub content: RevisionContent,
    /// Since when they are so.
    pub created_at: Timestamp,
}

fn from_the_beginning() -> u32 {
    1
}

impl Manifest {
    /// What `version` names, or `$LATEST`; `None` where there is no such alias or no such number yet.
    pub fn resolve(&self, version: Option<&VersionRef>) -> Option<AliasTarget> {
        match version {
            None | Some(VersionRef::Latest) => Some(AliasTarget::whole(self.newest().version)),
            Some(VersionRef::Number(number)) => self.has(*number).then(|| AliasTarget::whole(*number)),
            Some(VersionRef::Alias(alias)) => self.aliases.get(alias).cloned(),
        }
    }

    /// What `$LATEST` is: the latest version, or, with the number [`UNPUBLISHED`], what no version numbers.
    pub fn newest(&self) -> Version {
        let Some(Unpublished { revision, content, created_at }) = self.unpublished.clone() else {
            return self.latest.clone();
        };
        let (function, version) = (self.name.clone(), UNPUBLISHED);
        Version { function, version, revision, content, created_at, lambda: None }
    }

    /// The number of the version that is published next.
    pub fn next_number(&self) -> u32 {
        self.first_version.max(self.latest.version.saturating_add(1))
    }

    /// Whether the function, unless it is deleted, has this version.
    pub fn has(&self, version: u32) -> bool {
        (self.first_version..=self.latest.version).contains(&version)
            && !self.deleted_versions.contains(&version)
    }

    /// Whether an alias points at this version, or gives it a share.
    pub fn has_alias_of(&self, version: u32) -> bool {
        self.aliases.values().any(|target| target.versions().any(|pointed_at| pointed_at == version))
    }

    /// Removes an alias, with what else is known of it. Tells whether there was one.
    pub fn remove_alias(&mut self, alias: &Alias) -> bool {
        if let Some(lambda) = &mut self.lambda {
            lambda.forget(alias.as_str());
            lambda.aliases.remove(alias);
        }
        self.aliases.remove(alias).is_some()
    }

    /// Marks a version as deleted. If it is the latest one, `$LATEST` must be something else. Whoever deletes the oldest
    /// ones leaves no marks behind.
    pub fn delete_version(&mut self, version: u32) {
        if let Some(lambda) = &mut self.lambda {
            lambda.forget(&version.to_string());
        }
        self.deleted_versions.insert(version);
        while self.first_version < self.latest.version && self.deleted_versions.remove(&self.first_version) {
            self.first_version += 1;
        }
    }
}

/// A function as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Function {
    /// The function's name.
    pub name: FunctionName,
    /// The latest version's number; 0 where none was published yet, as AWS Lambda's API makes functions.
    pub version: u32,
    /// The latest version's revision.
    pub revision: Revision,
    /// The revision of `$LATEST`, where that differs from the latest version, as AWS Lambda's API changes functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpublished: Option<Revision>,
    /// Movable names for versions.
    pub aliases: BTreeMap<Alias, AliasTarget>,
    /// Code and config of the latest version.
    #[serde(flatten)]
    pub content: RevisionContent,
    /// When the function was first created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<Manifest> for Function {
    fn from(manifest: Manifest) -> Self {
        let latest = manifest.latest;
        Self {
            name: manifest.name,
            version: latest.version,
            revision: latest.revision,
            unpublished: manifest.unpublished.map(|unpublished| unpublished.revision),
            aliases: manifest.aliases,
            content: latest.content,
            created_at: manifest.created_at,
            updated_at: manifest.updated_at,
        }
    }
}
