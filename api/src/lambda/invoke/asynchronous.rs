//! InvokeAsync, which AWS gave up for Invoke with the type `Event`.

use std::time::Duration;

use axum::body::Body;

use super::beside::invocation;
use super::request::InvocationType;
use super::take_on::{accepted, check_concurrency, event, with_request_id};
use crate::executions::accept::{Code, Submission};
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::names::Form;
use crate::lambda::response::{Answer, WireResult};

const MOST_BYTES: usize = 1_048_576;

/// Executes a function, and waits for nothing.
pub(crate) async fn invoke_async(call: Call, body: Body) -> WireResult {
    let asked = call.asked_alone(Form::Reads, Checks::default())?;
    let manifest = call.manifest(&asked, &asked.qualified_arn()).await?.manifest;
    let function = manifest.name.clone();
    let (input, permit) = event(&call, body, MOST_BYTES, "InvokeAsync").await?;
    check_concurrency(&manifest)?;
    let (code, delay) = (Code::Latest, Duration::ZERO);
    let invocation = Some(invocation(&call, &asked, &manifest, InvocationType::Event).await?);
    let submission = Submission { function, code, input, replay_of: None, delay, invocation, permit };
    let ticket = accepted(&call, None, submission).await?;
    Ok(Answer::Accepted(with_request_id(&ticket.id)))
}
