//! What deploying a function changes, which the API tells without storing anything; and doing it.

use badlambda_client::{Client, Entity, Error, FunctionContent};
use badlambda_shared::function::Function;
use badlambda_shared::function::name::{Alias, VersionRef};
use serde::Serialize;
use serde_json::json;

use crate::code::diff::{Side, config_text, difference};
use crate::deploy::sources::Source;
use crate::output::Failure;

/// What becomes of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    Created,
    Updated,
    Unchanged,
}

/// A function that was checked in full.
pub(super) struct Checked {
    source: Source,
    /// As it is.
    current: Option<Entity<Function>>,
    /// As it is to be.
    next: Function,
}

/// What was done, or would be.
#[derive(Debug, Serialize)]
pub(super) struct Deployed {
    pub(super) name: String,
    pub(super) change: Change,
    /// The number of its latest version.
    pub(super) version: u32,
    /// Those that were not there, or pointed elsewhere.
    pub(super) moved_aliases: Vec<Alias>,
    pub(super) file: String,
    /// What changes in code and config, where nothing is stored.
    pub(super) diff: Option<String>,
}

impl Change {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Lets the API check code and config.
pub(super) async fn check(client: &Client, source: Source) -> Result<Checked, Failure> {
    let current = match client.get_function(&source.name).await {
        Ok(current) => Some(current),
        Err(error) if error.is("function_not_found") => None,
        Err(error) => return Err(error.into()),
    };
    let checked = put(client, &source, current.as_ref(), true).await;
    let next = checked.map_err(|error| Failure::from(error).about(&source.file.display().to_string()))?;
    Ok(Checked { source, current, next })
}

/// Creates the function, or publishes its next version where it is still as it was.
async fn put(
    client: &Client,
    source: &Source,
    current: Option<&Entity<Function>>,
    dry_run: bool,
) -> Result<Function, Error> {
    let content = FunctionContent { code: &source.code, config: &source.config };
    match current {
        None => client.create_function(&source.name, &content, dry_run).await,
        Some(Entity { entity_tag, .. }) => {
            client.put_function(&source.name, &content, entity_tag.as_deref(), dry_run).await
        }
    }
}

impl Checked {
    pub(super) fn name(&self) -> &str {
        self.source.name.as_str()
    }

    fn change(&self) -> Change {
        match &self.current {
            None => Change::Created,
            Some(current) if current.value.content == self.next.content => Change::Unchanged,
            Some(_) => Change::Updated,
        }
    }

    /// What would be done.
    pub(super) async fn preview(&self, client: &Client) -> Result<Deployed, Failure> {
        let mut would = self.deployed(&self.next);
        would.diff = Some(self.diff(client).await?);
        Ok(would)
    }

    /// Publishes what has changed, and moves the aliases that are to point at it.
    pub(super) async fn deploy(&self, client: &Client) -> Result<Deployed, Failure> {
        let function = match self.change() {
            Change::Unchanged => self.next.clone(),
            _ => put(client, &self.source, self.current.as_ref(), false).await?,
        };
        let deployed = self.deployed(&function);
        for alias in &deployed.moved_aliases {
            client.put_alias(&function.name, alias, function.version, &json!({})).await?;
        }
        Ok(deployed)
    }

    fn deployed(&self, function: &Function) -> Deployed {
        let points_there = |alias: &&Alias| {
            let target = function.aliases.get(*alias);
            target.is_some_and(|target| target.version == function.version && target.weights.is_empty())
        };
        Deployed {
            name: self.name().to_owned(),
            change: self.change(),
            version: function.version,
            moved_aliases: self.source.aliases.iter().filter(|alias| !points_there(alias)).cloned().collect(),
            file: self.source.file.display().to_string(),
            diff: None,
        }
    }

    /// From the latest version to the file.
    async fn diff(&self, client: &Client) -> Result<String, Failure> {
        let older = match &self.current {
            None => Side { name: "/dev/null".to_owned(), code: None, config: Some(String::new()) },
            Some(Entity { value, .. }) => {
                let number = VersionRef::Number(value.version);
                // What is the same need not be fetched.
                let code = match value.content.code_sha256 == self.next.content.code_sha256 {
                    true => self.source.code.clone(),
                    false => client.get_version_code(&value.name, &number).await?,
                };
                let config = config_text(&value.content.config);
                Side { name: format!("{} {number}", value.name), code: Some(code), config: Some(config) }
            }
        };
        let newer = Side {
            name: self.source.file.display().to_string(),
            code: Some(self.source.code.clone()),
            config: Some(config_text(&self.next.content.config)),
        };
        difference(&older, &newer)
    }
}
