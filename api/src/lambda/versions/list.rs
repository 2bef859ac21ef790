//! ListVersionsByFunction.

use badlambda_shared::function::UNPUBLISHED;

use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::functions::{Found, Shown, configuration, version_of};
use crate::lambda::markers::{self, Page, page_size};
use crate::lambda::names::{Form, LATEST, qualified_arn};
use crate::lambda::response::{Answer, WireResult};

/// Lists `$LATEST`, and then the versions, the oldest first.
pub(crate) async fn list(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Reads, Checks::default())?;
    let size = page_size(&call, 10_000, &mut Checks::default())?;
    let after: Option<u32> = markers::read(&call)?;
    let manifest = call.manifest(&asked, &asked.arn()).await?.manifest;
    let mut page = Page::new(size);
    let first = after.map_or(0, |after| after.saturating_add(1));
    let behind = manifest.first_version.max(first)..=manifest.latest.version;
    let latest = after.is_none().then_some(UNPUBLISHED).into_iter();
    let numbers: Vec<u32> = latest.chain(behind.filter(|number| manifest.has(*number))).collect();
    for number in numbers {
        let version = version_of(&call, &manifest, number).await?;
        let qualifier = if number == UNPUBLISHED { LATEST.to_owned() } else { number.to_string() };
        let arn = qualified_arn(&call.app.account, manifest.name.as_str(), &qualifier);
        let found = Found { manifest: manifest.clone(), version };
        page.add(number, configuration(&call.app.account, &found, &arn, Shown::Listed));
        if page.is_full() {
            break;
        }
    }
    Ok(Answer::Shown(page.json("Versions")))
}
