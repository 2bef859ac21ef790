//! Invoke.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::catalog::CatalogError;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::{Manifest, UNPUBLISHED, Version};
use serde_json::value::RawValue;

use super::beside::invocation;
use super::outcome::Invoked;
use super::request::{InvocationType, InvokeRequest, ResultForm};
use super::streamed;
use crate::executions::accept::{Code, Submission, take_on};
use crate::executions::poll;
use crate::executions::submit;
use crate::executions::ticket::Ticket;
use crate::http::admission::BodyPermit;
use crate::http::body::Received;
use crate::http::error::ApiError;
use crate::http::trace::trace;
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError, no_function};
use crate::lambda::finish::REQUEST_ID;
use crate::lambda::names::{Asked, Form, Qualified};
use crate::lambda::response::{Answer, WireResult};

/// How much longer than its function may run an invocation is waited for: it may have to wait for a worker. Whoever comes
/// again by the same invocation id goes on waiting.
const QUEUEING: Duration = Duration::from_secs(120);

/// Executes a function, and waits for what comes of it, unless that is not asked for.
pub(crate) async fn invoke(call: Call, body: Body) -> WireResult {
    invoke_for(ResultForm::Whole, call, body).await
}

/// The same, answered with events.
pub(crate) async fn invoke_with_response_stream(call: Call, body: Body) -> WireResult {
    invoke_for(ResultForm::Streamed, call, body).await
}

async fn invoke_for(form: ResultForm, call: Call, body: Body) -> WireResult {
    let mut checks = Checks::default();
    let request = InvokeRequest::read(&call, form, &mut checks);
    let asked = call.asked(Form::Reads, checks)?;
    InvokeRequest::check(&call)?;
    let (function, code) = wanted(&call, &asked).await?;
    let most = request.invocation_type.most_bytes().min(call.app.max_input_bytes);
    let (input, permit) = event(&call, body, most, form.operation()).await?;
    let manifest = call.app.catalog.manifest(&function).await?;
    check_concurrency(&manifest)?;
    if request.invocation_type == InvocationType::DryRun {
        return Ok(Answer::WouldInvoke);
    }
    let invocation = Some(invocation(&call, &asked, &manifest, request.invocation_type).await?);
    let (function_name, delay) = (function.clone(), Duration::ZERO);
    let submission =
        Submission { function: function_name, code, input, replay_of: None, delay, invocation, permit };
    let ticket = accepted(&call, request.key, submission).await?;
    let headers = with_request_id(&ticket.id);
    if request.invocation_type == InvocationType::Event {
        return Ok(Answer::Accepted(headers));
    }
    let invoked = wait_for(&call, &function, ticket, request.wants_logs).await?;
    match form {
        ResultForm::Whole => invoked.into_answer(headers),
        ResultForm::Streamed => streamed::answer(invoked, headers),
    }
}

/// The function and what of it is to run.
async fn wanted(call: &Call, asked: &Asked) -> Result<(FunctionName, Code), WireError> {
    let missing = asked.qualified_arn();
    let function = call.named(asked, &missing)?;
    let code = match asked.qualified() {
        Qualified::Latest => Code::Latest,
        Qualified::Ref(version) => Code::Version(Some(version)),
        Qualified::Nothing => return Err(no_function(&missing)),
    };
    let version = match &code {
        Code::Version(version) => version.as_ref(),
        Code::Latest | Code::Revision(_) => None,
    };
    match call.app.catalog.target(&function, version).await {
        Ok(_) => Ok((function, code)),
        Err(CatalogError::NoFunction(_) | CatalogError::NoVersion { .. }) => Err(no_function(&missing)),
        Err(error) => Err(error.into()),
    }
}

/// The event, and the room that it takes.
pub(super) async fn event(
    call: &Call,
    body: Body,
    most: usize,
    operation: &str,
) -> Result<(Box<RawValue>, BodyPermit), WireError> {
    let too_large = Refusal::request_too_large(operation, most);
    let Received { bytes, permit } = call.body(body, most, too_large).await?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    let input: Box<RawValue> = serde_json::from_slice(text)
        .map_err(|error| Refusal::unreadable(format!("Could not parse payload into json: {error}")))?;
    submit::check(&call.app, &input, &[])?;
    Ok((input, permit))
}

/// Reserved concurrency of 0 switches a function off.
pub(super) fn check_concurrency(manifest: &Manifest) -> Result<(), Refusal> {
    let reserved = manifest.lambda.as_ref().and_then(|lambda| lambda.reserved_concurrency);
    if reserved == Some(0) {
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        return Err(Refusal::too_many_requests(reason));
    }
    Ok(())
}

/// Sends the execution under a new id, or finds the one that an earlier try of the same call sent.
pub(super) async fn accepted(
    call: &Call,
    key: Option<String>,
    submission: Submission,
) -> Result<Ticket, WireError> {
    let id = ExecutionId::issue_uuid(&submission.function);
    let (ticket, _) = take_on(&call.app, id, key, trace(&call.headers), submission).await?;
    Ok(ticket)
}

pub(super) fn with_request_id(id: &ExecutionId) -> HeaderMap {
    let id = HeaderValue::try_from(id.as_str()).ok();
    id.map(|id| (REQUEST_ID, id)).into_iter().collect()
}

/// Waits until it has ended. A client that goes away ends nothing.
async fn wait_for(
    call: &Call,
    function: &FunctionName,
    ticket: Ticket,
    wants_logs: bool,
) -> Result<Invoked, WireError> {
    let version = version_of(call, function, &ticket).await?;
    let config = &version.content.config;
    let tries = u32::try_from(config.retries).unwrap_or(0).saturating_add(1);
    let patience = Duration::from_millis(config.timeout_ms).saturating_mul(tries).saturating_add(QUEUEING);
    let (id, submitted_at) = (&ticket.id, Some(ticket.submitted_at));
    let record = poll::until_final(&call.app, function, id, ticket.version, submitted_at, patience).await?;
    match record.filter(|record| record.status.is_final()) {
        Some(record) => Invoked::of(&call.app, &version, record, wants_logs).await,
        None if call.app.shutdown.soft.is_cancelled() => Err(ApiError::Draining.into()),
        None => {
            let reason = format!("the execution {id} of {function} has not ended in time");
            Err(ApiError::Unavailable(reason).into())
        }
    }
}

/// What is run, as far as it is still there.
async fn version_of(call: &Call, function: &FunctionName, ticket: &Ticket) -> Result<Version, WireError> {
    let catalog = &call.app.catalog;
    if let Some(number) = ticket.version {
        return Ok((*catalog.version(function, number).await?).clone());
    }
    let manifest = catalog.manifest(function).await?;
    let lambda = manifest.lambda.as_ref().map(|lambda| Box::new(lambda.settings.clone()));
    let newest = Version { version: UNPUBLISHED, lambda, ..manifest.newest() };
    let Some(revision) = ticket.revision.as_ref().filter(|revision| **revision != newest.revision) else {
        return Ok(newest);
    };
    let content = (*catalog.revision(function, revision).await?).clone();
    Ok(Version { revision: revision.clone(), content, ..newest })
}
