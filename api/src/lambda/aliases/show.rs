//! An alias, as AWS Lambda shows it, and GetAlias.

use badlambda_shared::function::alias::AliasTarget;
use badlambda_shared::function::lambda::LambdaAlias;
use badlambda_shared::function::name::Alias;
use badlambda_shared::function::{Manifest, UNPUBLISHED};
use serde_json::{Map, Value, json};

use super::request::check_name;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::Refusal;
use crate::lambda::functions::id_of;
use crate::lambda::names::{Form, LATEST};
use crate::lambda::response::{Answer, WireResult};

/// Shows an alias.
pub(crate) async fn get(call: Call) -> WireResult {
    let mut checks = Checks::default();
    let name = call.path("alias");
    check_name(name, &mut checks);
    let asked = call.asked_alone(Form::Changes, checks)?;
    let manifest = call.manifest(&asked, asked.function_arn()).await?.manifest;
    let alias = name.parse().ok().filter(|alias| manifest.aliases.contains_key(alias));
    match alias {
        Some(alias) => Ok(Answer::Shown(shown(&manifest, &alias, asked.function_arn()))),
        None => {
            let arn = asked.function_arn();
            Err(Refusal::not_found(format!("Cannot find alias arn: {arn}:{name}")).into())
        }
    }
}

/// An alias of the manifest.
pub(super) fn shown(manifest: &Manifest, alias: &Alias, function_arn: &str) -> Value {
    let target = manifest.aliases.get(alias).cloned().unwrap_or_else(|| AliasTarget::whole(UNPUBLISHED));
    let description = of_lambda(manifest, alias).description;
    let mut shown = json!({
        "AliasArn": format!("{function_arn}:{alias}"),
        "Name": alias,
        "FunctionVersion": written(target.version),
        "Description": description,
        "RevisionId": revision_id(manifest, alias),
    });
    if !target.weights.is_empty() {
        let weights = target.weights.iter().map(|(number, weight)| (number.to_string(), json!(weight)));
        let weights: Map<String, Value> = weights.collect();
        shown["RoutingConfig"] = json!({"AdditionalVersionWeights": weights});
    }
    shown
}

/// Another one after each change of the alias.
pub(super) fn revision_id(manifest: &Manifest, alias: &Alias) -> String {
    let target = serde_json::to_string(&manifest.aliases.get(alias)).unwrap_or_default();
    let created_at = manifest.created_at.to_string();
    let change = of_lambda(manifest, alias).change;
    id_of(&["alias", manifest.name.as_str(), &created_at, alias.as_str(), &target, &change])
}

/// What only this API knows of the alias.
pub(super) fn of_lambda(manifest: &Manifest, alias: &Alias) -> LambdaAlias {
    let lambda = manifest.lambda.as_ref();
    lambda.and_then(|lambda| lambda.aliases.get(alias)).cloned().unwrap_or_default()
}

/// A version's number as aliases write it.
pub(super) fn written(version: u32) -> String {
    if version == UNPUBLISHED { LATEST.to_owned() } else { version.to_string() }
}
