//! What CreateAlias and UpdateAlias say of an alias.

use std::collections::BTreeMap;

use badlambda_shared::function::alias::{AliasTarget, Weight};
use badlambda_shared::function::{Manifest, UNPUBLISHED};
use serde::Deserialize;
use serde_json::json;

use crate::lambda::checks::{Checks, Pattern, must_be, must_have_length, must_match};
use crate::lambda::errors::{Refusal, WireError, no_function};
use crate::lambda::names::{ALIAS_NAME, LATEST};

const VERSION: Pattern = Pattern {
    text: r"(\$LATEST(\.PUBLISHED)?|[0-9]+)",
    matches: |text| text == LATEST || text == "$LATEST.PUBLISHED" || is_number(text),
};
const WEIGHTED_VERSION: Pattern = Pattern { text: "[0-9]+", matches: is_number };

/// What is to hold of an alias; what is `None` stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AliasRequest {
    pub(super) name: Option<String>,
    function_version: Option<String>,
    pub(super) description: Option<String>,
    routing_config: Option<RoutingConfig>,
    pub(super) revision_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RoutingConfig {
    #[serde(default)]
    additional_version_weights: Option<BTreeMap<String, f64>>,
}

impl AliasRequest {
    /// Notes what does not satisfy the model.
    pub(super) fn check_model(&self, checks: &mut Checks) {
        if let Some(name) = &self.name {
            check_name(name, checks);
        }
        if let Some(version) = &self.function_version {
            checks.length(version, "functionVersion", 1..=1024);
            checks.pattern(version, "functionVersion", VERSION);
        }
        if let Some(description) = &self.description {
            checks.length(description, "description", 0..=256);
        }
        if let Some(weights) = self.weights() {
            check_weights(weights, checks);
        }
    }

    pub(super) fn check_version_is_there(&self, checks: &mut Checks) {
        checks.required(self.function_version.as_ref(), "functionVersion");
    }

    /// What the alias is to point at, and whether there is such a thing. `function_arn` is the function's.
    pub(super) fn target(
        &self,
        manifest: &Manifest,
        old: Option<&AliasTarget>,
        function_arn: &str,
    ) -> Result<AliasTarget, WireError> {
        let version = match (&self.function_version, old) {
            (Some(version), _) => existing(manifest, version, function_arn)?,
            (None, Some(old)) => old.version,
            (None, None) => UNPUBLISHED,
        };
        let Some(given) = self.weights() else {
            let weights = old.map(|old| old.weights.clone()).unwrap_or_default();
            return share(version, weights);
        };
        if given.len() > 1 {
            return Err(Refusal::invalid(
                "Number of items in AdditionalVersionWeights cannot be greater than 1",
            )
            .into());
        }
        let mut weights = BTreeMap::new();
        for (number, weight) in given {
            let weighted = existing(manifest, number, function_arn)?;
            let weight: Weight =
                serde_json::from_value(json!(weight)).map_err(|error| Refusal::invalid(error.to_string()))?;
            weights.insert(weighted, weight);
        }
        share(version, weights)
    }

    fn weights(&self) -> Option<&BTreeMap<String, f64>> {
        self.routing_config.as_ref()?.additional_version_weights.as_ref()
    }
}

/// What the model demands of an alias's name.
pub(super) fn check_name(name: &str, checks: &mut Checks) {
    checks.length(name, "name", 1..=128);
    checks.pattern(name, "name", ALIAS_NAME);
}

fn share(version: u32, weights: BTreeMap<u32, Weight>) -> Result<AliasTarget, WireError> {
    if version == UNPUBLISHED && !weights.is_empty() {
        return Err(Refusal::invalid_without_type(
            "$LATEST is not supported for an alias pointing to more than 1 version",
        )
        .into());
    }
    if weights.contains_key(&version) {
        return Err(Refusal::invalid(format!(
            "Invalid function version {version}. Function version {version} is already included in routing configuration."
        ))
        .into());
    }
    AliasTarget::shared(version, weights).map_err(|error| Refusal::invalid(error.to_string()).into())
}

/// The number of a version that there is, or that of `$LATEST`.
fn existing(manifest: &Manifest, version: &str, function_arn: &str) -> Result<u32, WireError> {
    if version == LATEST {
        return Ok(UNPUBLISHED);
    }
    let number = version.parse().ok().filter(|number| manifest.has(*number));
    number.ok_or_else(|| no_function(&format!("{function_arn}:{version}")))
}

fn check_weights(weights: &BTreeMap<String, f64>, checks: &mut Checks) {
    let shown: Vec<String> = weights.iter().map(|(number, weight)| format!("{number}={weight:?}")).collect();
    let shown = format!("{{{}}}", shown.join(", "));
    let path = "routingConfig.additionalVersionWeights";
    if !weights.values().all(|weight| (0.0..=1.0).contains(weight)) {
        let (most, least) = (must_be("less", "1.0"), must_be("greater", "0.0"));
        let constraint =
            format!("Map value must satisfy constraint: [{most}, {least}, Member must not be null]");
        checks.fail(&shown, path, constraint);
    }
    if !weights.keys().all(|number| is_number(number)) {
        let constraint = format!(
            "Map keys must satisfy constraint: [{}, {}, {}]",
            must_have_length("less", 1024),
            must_have_length("greater", 1),
            must_match(WEIGHTED_VERSION)
        );
        checks.fail(&shown, path, constraint);
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
