//! `POST …/executions`: takes an execution on.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::id::ExecutionId;
use badlambda_shared::limits;
use badlambda_shared::message::depth_is_bounded;
use badlambda_shared::name::{FunctionName, VersionRef};
use badlambda_shared::record::Record;
use badlambda_shared::timestamp::Timestamp;
use badlambda_shared::trace::{TRACEPARENT, Trace, X_AMZN_TRACE_ID};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::app::{App, AppState};
use crate::executions::idempotency::{self, Claim};
use crate::executions::poll;
use crate::executions::send::{send, send_claimed};
use crate::executions::ticket::Ticket;
use crate::http::admission::BodyPermit;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::prefer::{self, Wait};
use crate::http::request::{FunctionPath, Query, parsed};
use crate::http::response::{ApiResponse, ApiResult};

/// The query of `POST …/executions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmitQuery {
    version: Option<String>,
}

/// `POST /v1/functions/{function}/executions`. The body is the input, whatever its media type says; no body is
/// `null`, as it is for a message without one.
pub(crate) async fn submit(
    State(app): AppState,
    FunctionPath(function): FunctionPath,
    Query(query): Query<SubmitQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let wanted: Option<VersionRef> =
        query.version.as_deref().map(|version| parsed("version", version)).transpose()?;
    let key = idempotency::key(&headers)?;
    let (input, permit) = input(&app, body).await?;
    let version = app.catalog.resolve(&function, wanted.as_ref()).await?;
    let issue = || Ticket {
        id: ExecutionId::issue(&function),
        version: version.version,
        submitted_at: Timestamp::now(),
    };
    let (ticket, sent) = match key {
        None => {
            let ticket = issue();
            send(&app, &function, &ticket, input, trace(&headers)).await?;
            (ticket, Sent::Now)
        }
        Some(key) => {
            let fingerprint = idempotency::fingerprint(wanted.as_ref(), &input);
            let (ticket, claim) = idempotency::claim(&app, &function, &key, &fingerprint, issue).await?;
            match claim {
                Claim::Sent => (ticket, Sent::Before),
                Claim::ToSend(unsent) => {
                    let (app, trace) = (app.clone(), trace(&headers));
                    (send_claimed(app, &function, ticket, input, trace, unsent).await?, Sent::Now)
                }
            }
        }
    };
    // Whoever waits holds no input any more.
    drop(permit);
    answer(&app, function, ticket, &headers, sent).await
}

/// Whether this request took the execution on, or an earlier one, so that it may be finished by now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Now,
    Before,
}

async fn answer(
    app: &App,
    function: FunctionName,
    ticket: Ticket,
    headers: &HeaderMap,
    sent: Sent,
) -> ApiResult {
    let wait = prefer::wait(headers);
    let record = match seen(app, &function, &ticket, wait, sent).await {
        Ok(Some(record)) => record,
        Ok(None) => Record::queued(ticket.id, function, Some(ticket.version), ticket.submitted_at),
        // It is accepted all the same. An error would have the client submit it again.
        Err(error) if sent == Sent::Now => {
            tracing::warn!(id = %ticket.id, %error, "could not look for the record of an accepted execution");
            Record::queued(ticket.id, function, Some(ticket.version), ticket.submitted_at)
        }
        Err(error) => return Err(error),
    };
    let record = Box::new(record);
    if record.status.is_final() {
        return Ok(ApiResponse::Polled(record, wait));
    }
    Ok(ApiResponse::Accepted(record, wait))
}

/// What there is of the execution already, where that was asked for.
async fn seen(
    app: &App,
    function: &FunctionName,
    ticket: &Ticket,
    wait: Option<Wait>,
    sent: Sent,
) -> Result<Option<Record>, ApiError> {
    let patience = match wait {
        None if sent == Sent::Now => return Ok(None),
        None => Duration::ZERO,
        Some(wait) => wait.duration(),
    };
    let Ticket { id, version, submitted_at } = ticket;
    match poll::until_final(app, function, id, Some(*version), Some(*submitted_at), patience).await? {
        Some(record) => Ok(Some(poll::with_fresh_urls(app, record).await?)),
        None => Ok(None),
    }
}

/// The trace that the request belongs to. A header that comes twice could mean two, and counts as none.
fn trace(headers: &HeaderMap) -> Trace {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    Trace::read(only(TRACEPARENT), only(X_AMZN_TRACE_ID))
}

/// The input, and the room that it takes.
async fn input(app: &App, body: Body) -> Result<(Box<RawValue>, BodyPermit), ApiError> {
    let most = app.max_input_bytes;
    let Received { bytes, permit } =
        body::receive(&app.admission, body, most, ApiError::InputTooLarge(most)).await?;
    if bytes.is_empty() {
        return Ok((RawValue::NULL.to_owned(), permit));
    }
    let input: Box<RawValue> = serde_json::from_slice(&bytes).map_err(|error| json::not_json(&error))?;
    if depth_is_bounded(input.get()) {
        return Ok((input, permit));
    }
    let reason = format!("it must not be nested deeper than {} levels", limits::MAX_JSON_DEPTH);
    Err(ApiError::field("input", reason))
}
