//! What tools ask for, and of which there is only one answer here, or none.

use axum::body::Body;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::checks::{Checks, Pattern};
use super::errors::{Code, Refusal, WireError, no_function};
use super::functions::{find, with_lambda};
use super::names::{Asked, Form};
use super::response::{Answer, WireResult};
use crate::functions::manifest;

const MOST_BYTES: usize = 4096;

/// No function has a code signing config.
pub(crate) async fn code_signing(call: Call) -> WireResult {
    existing(&call, call.asked_alone(Form::Reads, Checks::default())?).await?;
    Ok(Answer::Shown(json!({})))
}

/// There is no code signing config that a function could have.
pub(crate) async fn put_code_signing(call: Call) -> WireResult {
    existing(&call, call.asked_alone(Form::Reads, Checks::default())?).await?;
    let message = "The code signing configuration cannot be found. Check that the provided configuration is not deleted.";
    Err(Refusal::new(Code::CodeSigningConfigNotFoundException, message).into())
}

/// There is none to delete.
pub(crate) async fn delete_code_signing(call: Call) -> WireResult {
    existing(&call, call.asked_alone(Form::Reads, Checks::default())?).await?;
    Ok(Answer::Done)
}

/// What PutFunctionRecursionConfig takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RecursionRequest {
    recursive_loop: Option<String>,
}

/// Shows what is kept about loops.
pub(crate) async fn recursion(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Reads, Checks::default())?;
    let manifest = call.manifest(&asked, &asked.arn()).await?.manifest;
    let kept = manifest.lambda.and_then(|lambda| lambda.recursive_loop);
    Ok(Answer::Shown(json!({"RecursiveLoop": kept.as_deref().unwrap_or("Terminate")})))
}

/// Keeps what is said about loops, which nothing here looks for.
pub(crate) async fn put_recursion(call: Call, body: Body) -> WireResult {
    let (request, _permit): (RecursionRequest, _) =
        call.json(body, "PutFunctionRecursionConfig", MOST_BYTES).await?;
    let mut checks = Checks::default();
    if let Some(wanted) = checks.required(request.recursive_loop.as_ref(), "recursiveLoop") {
        checks.one_of(wanted, "recursiveLoop", &["Terminate", "Allow"]);
    }
    let asked = call.asked_alone(Form::Reads, checks)?;
    let function = call.manifest(&asked, &asked.arn()).await?.manifest.name;
    let wanted = request.recursive_loop;
    manifest::edit(&call.app, &function, |manifest| {
        let mut changed = with_lambda(manifest, |lambda| lambda.recursive_loop.clone_from(&wanted));
        changed.updated_at = Timestamp::now();
        Ok::<_, WireError>(Some(changed))
    })
    .await?;
    Ok(Answer::Shown(json!({"RecursiveLoop": wanted})))
}

/// Workers' Ruby is updated by whoever runs them.
pub(crate) async fn runtime_management(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    find(&call, &asked, &asked.arn()).await?;
    Ok(Answer::Shown(json!({"UpdateRuntimeOn": "Auto", "FunctionArn": asked.arn()})))
}

/// No version can be held back.
pub(crate) async fn put_runtime_management() -> WireResult {
    Err(Refusal::unsupported("runtime management").into())
}

const URL_QUALIFIER: Pattern = Pattern {
    text: r"((?!^\d+$)^[0-9a-zA-Z-_]+$)",
    matches: |text| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !text.is_empty() && text.chars().all(is_word) && !text.chars().all(|c| c.is_ascii_digit())
    },
};

fn url_asked(call: &Call) -> Result<Asked, WireError> {
    let mut checks = Checks::default();
    if let Some(qualifier) = call.query("Qualifier") {
        checks.pattern(qualifier, "qualifier", URL_QUALIFIER);
    }
    checks.finish()?;
    call.asked(Form::Changes, Checks::default())
}

/// There are no function URLs, and so none of any function.
pub(crate) async fn url(call: Call) -> WireResult {
    url_asked(&call)?;
    Err(Refusal::resource_not_found().into())
}

/// There can be none.
pub(crate) async fn put_url(call: Call) -> WireResult {
    let asked = url_asked(&call)?;
    match call.manifest(&asked, asked.function_arn()).await {
        Err(WireError::Refused(_)) => Err(Refusal::not_found("Function does not exist").into()),
        current => {
            current?;
            Err(Refusal::unsupported("function URLs").into())
        }
    }
}

/// Of a function that is there, none are listed.
pub(crate) async fn urls(call: Call) -> WireResult {
    let asked = call.asked_alone(Form::Changes, Checks::default())?;
    match call.manifest(&asked, asked.function_arn()).await {
        Err(WireError::Refused(_)) => Err(Refusal::not_found("Function does not exist").into()),
        current => {
            current?;
            Ok(Answer::Shown(json!({"FunctionUrlConfigs": []})))
        }
    }
}

async fn existing(call: &Call, asked: Asked) -> Result<(), WireError> {
    match call.manifest(&asked, asked.function_arn()).await {
        Err(WireError::Refused(_)) => Err(no_function(asked.function_arn())),
        current => current.map(drop),
    }
}
