//! Reserved concurrency, of which 0 switches a function off, and provisioned concurrency, which there is none of.

use axum::body::Body;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::account_settings::CONCURRENT_EXECUTIONS;
use super::call::Call;
use super::checks::Checks;
use super::errors::{Code, Refusal, WireError};
use super::functions::{unqualified_only, with_lambda};
use super::names::{Asked, Form};
use super::response::{Answer, WireResult};
use crate::functions::manifest;

const MOST_BYTES: usize = 4096;
/// What AWS leaves to functions that reserve nothing.
const LEAST_UNRESERVED: i64 = 100;

/// What PutFunctionConcurrency takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ConcurrencyRequest {
    reserved_concurrent_executions: Option<i64>,
}

/// Sets how many executions of a function there may be at once.
pub(crate) async fn put(call: Call, body: Body) -> WireResult {
    let (request, _permit): (ConcurrencyRequest, _) =
        call.json(body, "PutFunctionConcurrency", MOST_BYTES).await?;
    let mut checks = Checks::default();
    let asked_for = request.reserved_concurrent_executions;
    match asked_for {
        Some(number) => checks.number(number, "reservedConcurrentExecutions", 0..=i64::from(i32::MAX)),
        None => checks.missing("reservedConcurrentExecutions"),
    }
    let asked = call.asked_alone(Form::Changes, checks)?;
    if asked.qualifier.is_some() {
        return Err(unqualified_only().into());
    }
    let reserved = asked_for.unwrap_or_default();
    call.manifest(&asked, &asked.qualified_arn()).await?;
    if reserved > i64::from(CONCURRENT_EXECUTIONS) - LEAST_UNRESERVED {
        return Err(Refusal::invalid_without_type(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
             minimum value of [{LEAST_UNRESERVED}]."
        ))
        .into());
    }
    set(&call, &asked, u32::try_from(reserved).ok()).await?;
    Ok(Answer::Shown(json!({"ReservedConcurrentExecutions": reserved})))
}

/// Shows how many executions of a function there may be at once.
pub(crate) async fn get(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Reads, Checks::default())?;
    let manifest = call.manifest(&asked, asked.function_arn()).await?.manifest;
    Ok(Answer::Shown(match manifest.lambda.and_then(|lambda| lambda.reserved_concurrency) {
        Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
        None => json!({}),
    }))
}

/// Lets there be any number.
pub(crate) async fn delete(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Changes, Checks::default())?;
    set(&call, &asked, None).await?;
    Ok(Answer::Done)
}

async fn set(call: &Call, asked: &Asked, reserved: Option<u32>) -> Result<(), WireError> {
    let function = call.manifest(asked, asked.function_arn()).await?.manifest.name;
    manifest::edit(&call.app, &function, |manifest| {
        let mut changed = with_lambda(manifest, |lambda| lambda.reserved_concurrency = reserved);
        changed.updated_at = Timestamp::now();
        Ok::<_, WireError>(Some(changed))
    })
    .await?;
    Ok(())
}

/// There is no provisioned concurrency: of a function that is there, none is listed, and none is found.
pub(crate) async fn provisioned(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    call.manifest(&asked, asked.function_arn()).await?;
    if call.query("List") == Some("ALL") {
        return Ok(Answer::Shown(json!({"ProvisionedConcurrencyConfigs": []})));
    }
    let message = "No Provisioned Concurrency Config found for this function";
    Err(Refusal::new(Code::ProvisionedConcurrencyConfigNotFoundException, message).into())
}

/// It can't be had.
pub(crate) async fn put_provisioned() -> WireResult {
    Err(Refusal::unsupported("provisioned concurrency").into())
}

/// There is none to delete.
pub(crate) async fn delete_provisioned(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    call.manifest(&asked, asked.function_arn()).await?;
    Ok(Answer::Done)
}
