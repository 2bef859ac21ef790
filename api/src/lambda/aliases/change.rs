//! CreateAlias, UpdateAlias and DeleteAlias.

use axum::body::Body;
use badlambda_shared::function::Manifest;
use badlambda_shared::function::alias::AliasTarget;
use badlambda_shared::function::lambda::LambdaAlias;
use badlambda_shared::function::name::Alias;
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;

use super::request::{AliasRequest, check_name};
use super::show::{of_lambda, revision_id, shown};
use crate::functions::manifest;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::functions::{new_change, with_lambda};
use crate::lambda::names::{Asked, Form};
use crate::lambda::response::{Answer, WireResult};

const MOST_BYTES: usize = 16 * 1024;

/// Makes an alias.
pub(crate) async fn create(call: Call, body: Body) -> WireResult {
    let (request, _permit): (AliasRequest, _) = call.json(body, "CreateAlias", MOST_BYTES).await?;
    let mut checks = Checks::default();
    checks.required(request.name.as_ref(), "name");
    request.check_version_is_there(&mut checks);
    request.check_model(&mut checks);
    let asked = call.asked_alone(Form::Changes, checks)?;
    let name = request.name.clone().unwrap_or_default();
    let arn = asked.function_arn().to_owned();
    let manifest = edit(&call, &asked, &name, |manifest, alias| {
        if manifest.aliases.contains_key(alias) {
            return Err(Refusal::conflict(format!("Alias already exists: {arn}:{alias}")).into());
        }
        if manifest.aliases.len() >= limits::MAX_ALIASES {
            let most = limits::MAX_ALIASES;
            return Err(Refusal::invalid(format!("A function has at most {most} aliases.")).into());
        }
        Ok(pointed(manifest, alias, request.target(manifest, None, &arn)?, request.description.as_ref()))
    })
    .await?;
    Ok(Answer::Created(shown(&manifest.0, &manifest.1, asked.function_arn())))
}

/// Changes what the request names of an alias.
pub(crate) async fn update(call: Call, body: Body) -> WireResult {
    let (request, _permit): (AliasRequest, _) = call.json(body, "UpdateAlias", MOST_BYTES).await?;
    let mut checks = Checks::default();
    let name = call.path("alias").to_owned();
    check_name(&name, &mut checks);
    request.check_model(&mut checks);
    let asked = call.asked_alone(Form::Changes, checks)?;
    let arn = asked.function_arn().to_owned();
    let manifest = edit(&call, &asked, &name, |manifest, alias| {
        let old = manifest.aliases.get(alias);
        let old = old.ok_or_else(|| Refusal::not_found(format!("Alias not found: {arn}:{alias}")))?;
        if request.revision_id.as_ref().is_some_and(|known| *known != revision_id(manifest, alias)) {
            return Err(Refusal::other_revision_id().into());
        }
        let target = request.target(manifest, Some(old), &arn)?;
        Ok(pointed(manifest, alias, target, request.description.as_ref()))
    })
    .await?;
    Ok(Answer::Shown(shown(&manifest.0, &manifest.1, asked.function_arn())))
}

/// Removes an alias. One that is not there is removed already.
pub(crate) async fn delete(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let name = call.path("alias").to_owned();
    check_name(&name, &mut checks);
    let asked = call.asked_alone(Form::Changes, checks)?;
    let function = call.manifest(&asked, asked.function_arn()).await?.manifest.name;
    let Ok(alias) = name.parse::<Alias>() else { return Ok(Answer::Done) };
    manifest::edit(&call.app, &function, |manifest| {
        let mut without = manifest.clone();
        if !without.remove_alias(&alias) {
            return Ok::<_, WireError>(None);
        }
        without.updated_at = Timestamp::now();
        Ok(Some(without))
    })
    .await?;
    Ok(Answer::Done)
}

/// The manifest with the alias as it is to be, with another revision id in any case.
fn pointed(
    manifest: &Manifest,
    alias: &Alias,
    target: AliasTarget,
    description: Option<&String>,
) -> Manifest {
    let old = of_lambda(manifest, alias);
    let description = description.cloned().unwrap_or(old.description);
    let of_lambda = LambdaAlias { description, change: new_change() };
    let mut pointed = with_lambda(manifest, |lambda| {
        lambda.aliases.insert(alias.clone(), of_lambda);
    });
    pointed.aliases.insert(alias.clone(), target);
    pointed.updated_at = Timestamp::now();
    pointed
}

/// Changes the manifest of the function that was asked for, and answers it with the alias's name.
async fn edit(
    call: &Call,
    asked: &Asked,
    name: &str,
    change: impl Fn(&Manifest, &Alias) -> Result<Manifest, WireError>,
) -> Result<(Manifest, Alias), WireError> {
    let function = call.manifest(asked, asked.function_arn()).await?.manifest.name;
    let alias: Alias = name
        .parse()
        .map_err(|error| Refusal::invalid(format!("Bad Lambda has no alias of the name {name}: {error}.")))?;
    let changed = manifest::edit(&call.app, &function, |manifest| change(manifest, &alias).map(Some)).await?;
    Ok((changed, alias))
}
