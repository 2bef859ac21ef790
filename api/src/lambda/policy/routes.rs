//! AddPermission, GetPolicy and RemovePermission.

use axum::body::Body;
use badlambda_shared::function::Manifest;
use badlambda_shared::function::lambda::LambdaPolicy;
use badlambda_shared::timestamp::Timestamp;
use serde_json::{Value, json};

use super::statement::PermissionRequest;
use crate::functions::manifest;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Code, Refusal, WireError, no_function};
use crate::lambda::functions::{find, id_of, new_change, with_lambda};
use crate::lambda::names::{Asked, Form, LATEST, Qualified};
use crate::lambda::response::{Answer, WireResult};
use badlambda_shared::function::name::VersionRef;

const MOST_BYTES: usize = 16 * 1024;

/// Adds a statement.
pub(crate) async fn add(call: Call, body: Body) -> WireResult {
    let (request, _permit): (PermissionRequest, _) = call.json(body, "AddPermission", MOST_BYTES).await?;
    let mut checks = Checks::default();
    request.check_model(&mut checks);
    let asked = call.asked(Form::Reads, checks)?;
    if asked.qualifier.as_deref() == Some(LATEST) {
        let message = "We currently do not support adding policies for $LATEST.";
        return Err(Refusal::invalid(message).into());
    }
    let function = existing(&call, &asked).await?.name;
    let statement = request.statement(&asked.arn())?;
    edit(&call, &function, &asked, request.revision_id.as_deref(), |policy| {
        if policy.statements.iter().any(|known| known["Sid"] == request.id()) {
            let id = request.id();
            return Err(Refusal::conflict(format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing \
                 statement."
            )));
        }
        policy.statements.push(statement.clone());
        Ok(())
    })
    .await?;
    Ok(Answer::Created(json!({"Statement": statement.to_string()})))
}

/// Shows the policy.
pub(crate) async fn get(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let manifest = match call.manifest(&asked, asked.function_arn()).await {
        Err(WireError::Refused(_)) => return Err(Refusal::resource_not_found().into()),
        current => current?.manifest,
    };
    let policy = policy_of(&manifest, &asked).ok_or_else(Refusal::resource_not_found)?;
    let shown = json!({"Version": "2012-10-17", "Id": "default", "Statement": policy.statements});
    Ok(Answer::Shown(json!({
        "Policy": shown.to_string(),
        "RevisionId": revision_id(&manifest, policy),
    })))
}

/// Removes a statement, and the policy with the last one.
pub(crate) async fn remove(call: Call) -> WireResult {
    let asked = call.asked(Form::Reads, Checks::default())?;
    let id = call.path("statement").to_owned();
    let manifest = match call.manifest(&asked, asked.function_arn()).await {
        Err(WireError::Refused(_)) => {
            let arn = asked.arn();
            return Err(Refusal::not_found(format!("No policy found for: {arn}")).into());
        }
        current => current?.manifest,
    };
    if policy_of(&manifest, &asked).is_none() {
        let message = "No policy is associated with the given resource.";
        return Err(Refusal::not_found(message).into());
    }
    edit(&call, &manifest.name, &asked, call.query("RevisionId"), |policy| {
        let before = policy.statements.len();
        policy.statements.retain(|known| known["Sid"] != id.as_str());
        if policy.statements.len() < before {
            return Ok(());
        }
        Err(Refusal::not_found("Statement SID is not found in resource policy."))
    })
    .await?;
    Ok(Answer::Done)
}

/// The function, which has what the qualifier names.
async fn existing(call: &Call, asked: &Asked) -> Result<Manifest, WireError> {
    match (find(call, asked, &asked.arn()).await, asked.qualified()) {
        (Err(WireError::Refused(_)), Qualified::Ref(VersionRef::Alias(_)))
            if call.manifest(asked, asked.function_arn()).await.is_ok() =>
        {
            Err(Refusal::not_found(format!("Cannot find alias arn: {}", asked.arn())).into())
        }
        (Err(WireError::Refused(_)), _) => Err(no_function(&asked.arn())),
        (found, _) => found.map(|found| found.manifest),
    }
}

async fn edit(
    call: &Call,
    function: &badlambda_shared::function::name::FunctionName,
    asked: &Asked,
    known: Option<&str>,
    change: impl Fn(&mut LambdaPolicy) -> Result<(), Refusal>,
) -> Result<(), WireError> {
    manifest::edit(&call.app, function, |manifest| {
        let mut policy = policy_of(manifest, asked).cloned().unwrap_or_default();
        if known.is_some_and(|known| known != revision_id(manifest, &policy)) {
            return Err(Refusal::new(
                Code::PreconditionFailedException,
                "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the \
                 latest Revision Id",
            )
            .into());
        }
        change(&mut policy)?;
        policy.change = new_change();
        let mut changed = with_lambda(manifest, |lambda| {
            let place = place(asked).to_owned();
            if policy.statements.is_empty() {
                lambda.policies.remove(&place);
            } else {
                lambda.policies.insert(place, policy);
            }
        });
        changed.updated_at = Timestamp::now();
        Ok::<_, WireError>(Some(changed))
    })
    .await?;
    Ok(())
}

fn policy_of<'a>(manifest: &'a Manifest, asked: &Asked) -> Option<&'a LambdaPolicy> {
    manifest.lambda.as_ref()?.policies.get(place(asked))
}

fn place(asked: &Asked) -> &str {
    asked.qualifier.as_deref().unwrap_or_default()
}

fn revision_id(manifest: &Manifest, policy: &LambdaPolicy) -> String {
    let statements = Value::from(policy.statements.clone()).to_string();
    id_of(&["policy", manifest.name.as_str(), &policy.change, &statements])
}
