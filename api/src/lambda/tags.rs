//! Tags of functions.

use std::collections::BTreeMap;

use axum::body::Body;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::checks::{Checks, Pattern};
use super::errors::{Refusal, WireError};
use super::functions::{new_change, with_lambda};
use super::names::{Asked, Form};
use super::response::{Answer, WireResult};
use crate::functions::manifest;

const MOST_TAGS: usize = 50;
const MOST_BYTES: usize = 64 * 1024;
const FUNCTION_BEGINS: &str = ":function:";

const RESOURCE: Pattern = Pattern {
    text: r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}|capacity-provider:[a-zA-Z0-9-_]+)",
    matches: is_resource,
};

/// What TagResource takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagRequest {
    tags: Option<BTreeMap<String, String>>,
}

/// Fails where a function can't have so many.
pub(super) fn check_number(tags: usize) -> Result<(), Refusal> {
    if tags <= MOST_TAGS {
        return Ok(());
    }
    Err(Refusal::invalid("Number of tags exceeds resource tag limit."))
}

/// Shows the tags.
pub(crate) async fn list(call: Call) -> WireResult {
    let asked = resource(&call, Checks::default())?;
    let manifest = call.manifest(&asked, &asked.arn()).await?.manifest;
    let tags = manifest.lambda.map(|lambda| lambda.tags).unwrap_or_default();
    Ok(Answer::Shown(json!({"Tags": tags})))
}

/// Adds tags, or gives those that are there other values.
pub(crate) async fn add(call: Call, body: Body) -> WireResult {
    let (TagRequest { tags }, _permit) = call.json(body, "TagResource", MOST_BYTES).await?;
    let mut checks = Checks::default();
    checks.required(tags.as_ref(), "tags");
    let asked = resource(&call, checks)?;
    let tags = tags.unwrap_or_default();
    if tags.is_empty() {
        return Err(Refusal::invalid("An error occurred and the request cannot be processed.").into());
    }
    edit(&call, &asked, |known| known.extend(tags.clone())).await
}

/// Removes tags. One that is not there is removed already.
pub(crate) async fn remove(call: Call) -> WireResult {
    let keys: Vec<String> = call.query_all("tagKeys").map(str::to_owned).collect();
    let mut checks = Checks::default();
    if keys.is_empty() {
        checks.missing("tagKeys");
    }
    let asked = resource(&call, checks)?;
    edit(&call, &asked, |known| known.retain(|key, _| !keys.contains(key))).await
}

/// The function that the path's ARN names.
fn resource(call: &Call, mut checks: Checks) -> Result<Asked, WireError> {
    let arn = call.path("arn");
    checks.pattern(arn, "resource", RESOURCE);
    checks.finish()?;
    if !arn.contains(FUNCTION_BEGINS) {
        return Err(Refusal::unsupported("tags of anything but functions").into());
    }
    let account: &Account = &call.app.account;
    let asked = call.allowed(Asked::read(account, Form::Reads, arn, None, Checks::default())?)?;
    if asked.qualifier.is_some() {
        let message =
            "Tags on function aliases and versions are not supported. Please specify a function ARN.";
        return Err(Refusal::invalid(message).into());
    }
    Ok(asked)
}

async fn edit(call: &Call, asked: &Asked, change: impl Fn(&mut BTreeMap<String, String>)) -> WireResult {
    let function: FunctionName = call.manifest(asked, &asked.arn()).await?.manifest.name;
    manifest::edit(&call.app, &function, |manifest| {
        let mut tagged = with_lambda(manifest, |lambda| {
            change(&mut lambda.tags);
            lambda.change = new_change();
        });
        check_number(tagged.lambda.as_ref().map_or(0, |lambda| lambda.tags.len()))?;
        tagged.updated_at = Timestamp::now();
        Ok::<_, WireError>(Some(tagged))
    })
    .await?;
    Ok(Answer::Done)
}

/// Whether it is the ARN of something that can have tags.
fn is_resource(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, "lambda", region, account, resource] = parts.as_slice() else { return false };
    let kinds =
        ["function:", "layer:", "code-signing-config:", "event-source-mapping:", "capacity-provider:"];
    *prefix == "arn"
        && partition.starts_with("aws")
        && region.contains('-')
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && kinds.iter().any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()))
}
