//! The operations.

use axum::body::Body;
use badlambda_shared::function::Manifest;
use badlambda_shared::function::lambda::LambdaEventInvoke;
use badlambda_shared::timestamp::Timestamp;
use serde_json::{Value, json};

use super::request::EventInvokeRequest;
use crate::functions::manifest;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::functions::{find, with_lambda};
use crate::lambda::markers::{self, Page, page_size};
use crate::lambda::names::{Asked, Form, LATEST};
use crate::lambda::response::{Answer, WireResult};

const MOST_BYTES: usize = 16 * 1024;

/// Replaces it.
pub(crate) async fn put(call: Call, body: Body) -> WireResult {
    set(call, body, false).await
}

/// Changes what the request names of it.
pub(crate) async fn update(call: Call, body: Body) -> WireResult {
    set(call, body, true).await
}

async fn set(call: Call, body: Body, merges: bool) -> WireResult {
    let operation = if merges { "UpdateFunctionEventInvokeConfig" } else { "PutFunctionEventInvokeConfig" };
    let (request, _permit): (EventInvokeRequest, _) = call.json(body, operation, MOST_BYTES).await?;
    let mut checks = Checks::default();
    request.check_model(&mut checks);
    let asked = call.asked(Form::Reads, checks)?;
    let function = existing(&call, &asked).await?.name;
    if !merges && !request.says_something() {
        let message = "You must specify at least one of error handling or destination setting.";
        return Err(Refusal::invalid(message).into());
    }
    request.check_destinations(&call, &asked).await?;
    let qualifier = qualifier(&asked);
    let changed = manifest::edit(&call.app, &function, |manifest| {
        let old = config_of(manifest, qualifier);
        if merges && old.is_none() {
            return Err(missing(&asked).into());
        }
        let config = request.merged(old.filter(|_| merges));
        let mut changed = with_lambda(manifest, |lambda| {
            lambda.event_invoke.insert(qualifier.to_owned(), config);
        });
        changed.updated_at = Timestamp::now();
        Ok::<_, WireError>(Some(changed))
    })
    .await?;
    let config = config_of(&changed, qualifier).ok_or_else(|| missing(&asked))?;
    Ok(Answer::Shown(shown(config, &asked.qualified_arn())))
}

/// Shows it.
pub(crate) async fn get(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let manifest = of_config(&call, &asked).await?;
    let config = config_of(&manifest, qualifier(&asked)).ok_or_else(|| missing(&asked))?;
    Ok(Answer::Shown(shown(config, &asked.qualified_arn())))
}

/// Removes it.
pub(crate) async fn delete(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let function = of_config(&call, &asked).await?.name;
    manifest::edit(&call.app, &function, |manifest| {
        if config_of(manifest, qualifier(&asked)).is_none() {
            return Err(missing(&asked).into());
        }
        let mut changed = with_lambda(manifest, |lambda| {
            lambda.event_invoke.remove(qualifier(&asked));
        });
        changed.updated_at = Timestamp::now();
        Ok::<_, WireError>(Some(changed))
    })
    .await?;
    Ok(Answer::Done)
}

/// Lists those of a function.
pub(crate) async fn list(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Reads, Checks::default())?;
    let size = page_size(&call, 50, &mut Checks::default())?;
    let after: Option<String> = markers::read(&call)?;
    let manifest = existing(&call, &asked).await?;
    let configs = manifest.lambda.map(|lambda| lambda.event_invoke).unwrap_or_default();
    let mut page = Page::new(size);
    for (qualifier, config) in &configs {
        if after.as_ref().is_none_or(|after| qualifier > after) {
            page.add(qualifier, shown(config, &format!("{}:{qualifier}", asked.function_arn())));
        }
    }
    Ok(Answer::Shown(page.json("FunctionEventInvokeConfigs")))
}

/// The function, which has what the qualifier names.
async fn existing(call: &Call, asked: &Asked) -> Result<Manifest, WireError> {
    match find(call, asked, &asked.arn()).await {
        Err(WireError::Refused(_)) => Err(Refusal::not_found("The function doesn't exist.").into()),
        found => found.map(|found| found.manifest),
    }
}

/// The function, of which it is told that it has no such config where there is no such function.
async fn of_config(call: &Call, asked: &Asked) -> Result<Manifest, WireError> {
    match call.manifest(asked, asked.function_arn()).await {
        Err(WireError::Refused(_)) => Err(missing(asked).into()),
        current => current.map(|current| current.manifest),
    }
}

fn missing(asked: &Asked) -> Refusal {
    let arn = asked.qualified_arn();
    Refusal::not_found(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

fn qualifier(asked: &Asked) -> &str {
    asked.qualifier.as_deref().unwrap_or(LATEST)
}

/// What holds for an asynchronous call of what was asked for.
pub(crate) fn config_for<'a>(manifest: &'a Manifest, asked: &Asked) -> Option<&'a LambdaEventInvoke> {
    config_of(manifest, qualifier(asked))
}

fn config_of<'a>(manifest: &'a Manifest, qualifier: &str) -> Option<&'a LambdaEventInvoke> {
    manifest.lambda.as_ref()?.event_invoke.get(qualifier)
}

fn shown(config: &LambdaEventInvoke, arn: &str) -> Value {
    let LambdaEventInvoke { modified_at, retries, max_age_seconds, on_success, on_failure } = config;
    let destination = |arn: &Option<String>| match arn {
        Some(arn) => json!({"Destination": arn}),
        None => json!({}),
    };
    let mut shown = json!({
        "FunctionArn": arn,
        "LastModified": modified_at.unix_ms() as f64 / 1000.0,
        "DestinationConfig": {"OnSuccess": destination(on_success), "OnFailure": destination(on_failure)},
    });
    if let Some(retries) = retries {
        shown["MaximumRetryAttempts"] = json!(retries);
    }
    if let Some(seconds) = max_age_seconds {
        shown["MaximumEventAgeInSeconds"] = json!(seconds);
    }
    shown
}
