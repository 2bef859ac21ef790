//! ListFunctions.

use std::sync::Arc;

use badlambda_shared::function::Manifest;
use badlambda_shared::function::catalog::CatalogError;
use badlambda_shared::function::name::FunctionName;
use serde_json::{Value, json};

use super::configuration::{Shown, configuration};
use super::find::{Found, version_of};
use crate::http::page::folders;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::markers::{Page, page_size};
use crate::lambda::names::{LATEST, qualified_arn};
use crate::lambda::response::{Answer, WireResult};

/// Functions of a listing of S3, of which deleted ones are left out.
const NAMES_AT_ONCE: usize = 50;

/// Lists functions, each as its `$LATEST`, or with all its versions.
pub(crate) async fn list(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let all = call.query("FunctionVersion");
    if let Some(versions) = all {
        checks.one_of(versions, "functionVersion", &["ALL"]);
    }
    let size = page_size(&call, 10_000, &mut checks)?;
    if call.query("MasterRegion").is_some() {
        return Err(Refusal::unsupported("MasterRegion").into());
    }
    let after: Option<After> = crate::lambda::markers::read(&call)?;
    let entries = Entries { call: &call, with_versions: all.is_some() };
    let page = entries.page(after, size).await?;
    Ok(Answer::Shown(page.json("Functions")))
}

/// What a page ended with: a function, and of its versions the number.
type After = (FunctionName, u32);

struct Entries<'a> {
    call: &'a Call,
    with_versions: bool,
}

impl Entries<'_> {
    async fn page(&self, after: Option<After>, size: usize) -> Result<Page<After>, WireError> {
        let mut page = Page::new(size);
        // The function in whose versions the last page ended comes first, then those behind it.
        if let Some((name, number)) = &after
            && self.with_versions
        {
            self.add(&mut page, name, Some(*number)).await?;
        }
        let mut behind = after.map(|(name, _)| name);
        while !page.is_full() {
            let (names, next) = self.names(behind.as_ref()).await?;
            for name in &names {
                self.add(&mut page, name, None).await?;
                if page.is_full() {
                    break;
                }
            }
            match next {
                Some(next) => behind = Some(next),
                None => break,
            }
        }
        Ok(page)
    }

    /// The names behind this one, and behind which more follow.
    async fn names(
        &self,
        after: Option<&FunctionName>,
    ) -> Result<(Vec<FunctionName>, Option<FunctionName>), WireError> {
        let app = &self.call.app;
        match self.call.caller.functions() {
            Some(own) => {
                let behind = own.iter().filter(|name| after.is_none_or(|after| *name > after));
                Ok((behind.cloned().collect(), None))
            }
            None => Ok(folders(&app.store, &app.store.keys().functions(), after, NAMES_AT_ONCE).await?),
        }
    }

    /// Adds the function, or its versions behind `after`.
    async fn add(
        &self,
        page: &mut Page<After>,
        name: &FunctionName,
        after: Option<u32>,
    ) -> Result<(), WireError> {
        let manifest = match self.call.app.catalog.manifest(name).await {
            Ok(manifest) => manifest,
            Err(CatalogError::NoFunction(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if after.is_none() {
            page.add((name.clone(), 0), self.shown(&manifest, None).await?);
        }
        if !self.with_versions {
            return Ok(());
        }
        let first = after.map_or(0, |after| after.saturating_add(1)).max(manifest.first_version);
        let numbers: Vec<u32> =
            (first..=manifest.latest.version).filter(|number| manifest.has(*number)).collect();
        for number in numbers {
            if page.is_full() {
                break;
            }
            page.add((name.clone(), number), self.shown(&manifest, Some(number)).await?);
        }
        Ok(())
    }

    async fn shown(&self, manifest: &Arc<Manifest>, number: Option<u32>) -> Result<Value, WireError> {
        let version = version_of(self.call, manifest, number.unwrap_or(0)).await?;
        let found = Found { manifest: (**manifest).clone(), version };
        let account = &self.call.app.account;
        let name = manifest.name.as_str();
        let arn = match number {
            Some(number) => qualified_arn(account, name, &number.to_string()),
            None if self.with_versions => qualified_arn(account, name, LATEST),
            None => account.function_arn(name),
        };
        Ok(json!(configuration(account, &found, &arn, Shown::Listed)))
    }
}
