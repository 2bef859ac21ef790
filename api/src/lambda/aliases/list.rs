//! ListAliases.

use badlambda_shared::function::name::Alias;

use super::show::{shown, written};
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::markers::{self, Page, page_size};
use crate::lambda::names::Form;
use crate::lambda::response::{Answer, WireResult};

/// Lists the aliases by their names, perhaps only those of one version.
pub(crate) async fn list(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Changes, Checks::default())?;
    let size = page_size(&call, 10_000, &mut Checks::default())?;
    let after: Option<Alias> = markers::read(&call)?;
    let manifest = call.manifest(&asked, asked.function_arn()).await?.manifest;
    let wanted = call.query("FunctionVersion");
    let mut page = Page::new(size);
    for (alias, target) in &manifest.aliases {
        let is_behind = after.as_ref().is_none_or(|after| alias > after);
        if is_behind && wanted.is_none_or(|version| version == written(target.version)) {
            page.add(alias, shown(&manifest, alias, asked.function_arn()));
        }
    }
    Ok(Answer::Shown(page.json("Aliases")))
}
