//! The one way of an execution onto the queue, whichever call asks for it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::invocation::Invocation;
use badlambda_shared::execution::message::ExecutionRequest;
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::name::{FunctionName, Revision, VersionRef};
use badlambda_shared::process::telemetry;
use badlambda_shared::timestamp::Timestamp;
use serde_json::value::RawValue;

use crate::app::App;
use crate::executions::idempotency::{self, Claim};
use crate::executions::poll;
use crate::executions::send::{send, send_claimed};
use crate::executions::ticket::Ticket;
use crate::http::admission::BodyPermit;
use crate::http::error::ApiError;
use crate::http::prefer::{self, Wait};
use crate::http::response::{ApiResponse, ApiResult};
use crate::http::trace::trace;

/// An execution that is asked for.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) function: FunctionName,
    pub(crate) code: Code,
    pub(crate) input: Box<RawValue>,
    /// The execution that this one repeats.
    pub(crate) replay_of: Option<ExecutionId>,
    /// How long it waits before any worker may have it.
    pub(crate) delay: Duration,
    /// What the caller says beside the input.
    pub(crate) invocation: Option<Box<Invocation>>,
    /// The room that the input takes.
    pub(crate) permit: BodyPermit,
}

/// What is run.
#[derive(Debug)]
pub(crate) enum Code {
    /// This version of the function, or the latest.
    Version(Option<VersionRef>),
    /// What `$LATEST` is, by its revision alone, though a version may number it.
    Latest,
    /// This revision: a one-shot execution's, or one of the function's.
    Revision(Revision),
}

impl Submission {
    /// The digest of what is asked for.
    fn fingerprint(&self) -> String {
        let code = match &self.code {
            Code::Version(version) => version.as_ref().map(ToString::to_string).unwrap_or_default(),
            Code::Latest => VersionRef::Latest.to_string(),
            Code::Revision(revision) => revision.to_string(),
        };
        let replay_of = self.replay_of.as_ref().map(ExecutionId::as_str).unwrap_or_default();
        let delay = self.delay.as_secs().to_string();
        let parts = [&code, replay_of, &delay, self.input.get()];
        idempotency::fingerprint(&parts.map(str::as_bytes))
    }
}

/// Sends the execution, or finds the one that the request's `Idempotency-Key` stands for, and answers it, finished
/// within the request's `Prefer: wait` if it can be.
pub(crate) async fn accept(app: Arc<App>, headers: &HeaderMap, submission: Submission) -> ApiResult {
    let key = idempotency::key(headers)?;
    let function = submission.function.clone();
    let id = ExecutionId::issue(&function);
    let (ticket, sent) = take_on(&app, id, key, trace(headers), submission).await?;
    answer(&app, function, ticket, headers, sent).await
}

/// Sends the execution under this id, or finds the one that the key stands for.
pub(crate) async fn take_on(
    app: &Arc<App>,
    id: ExecutionId,
    key: Option<String>,
    trace: Trace,
    submission: Submission,
) -> Result<(Ticket, Sent), ApiError> {
    let key = key.map(|key| (key, submission.fingerprint()));
    let Submission { function, code, input, replay_of, delay, invocation, permit } = submission;
    tracing::Span::current().record("execution", tracing::field::display(&id));
    let (version, revision) = resolve(app, &function, code, &id).await?;
    let trace = telemetry::from_here(trace);
    let issue = || Ticket {
        id: id.clone(),
        version,
        revision: revision.clone(),
        submitted_at: Timestamp::now(),
        replay_of: replay_of.clone(),
    };
    let (ticket, sent) = match key {
        None => {
            let ticket = issue();
            let request = ExecutionRequest { invocation, ..ticket.request(&function, input, trace) };
            send(app, request, delay).await?;
            (ticket, Sent::Now)
        }
        Some((key, fingerprint)) => {
            let (ticket, claim) = idempotency::claim(app, &function, &key, &fingerprint, issue).await?;
            match claim {
                Claim::Sent => (ticket, Sent::Before),
                Claim::ToSend(unsent) => {
                    let request = ExecutionRequest { invocation, ..ticket.request(&function, input, trace) };
                    send_claimed(Arc::clone(app), request, delay, unsent).await?;
                    (ticket, Sent::Now)
                }
            }
        }
    };
    // Whoever waits holds no input any more.
    drop(permit);
    if !delay.is_zero() {
        app.run_times.note_delay(&ticket.id, ticket.submitted_at.plus(delay));
    }
    Ok((ticket, sent))
}

/// The version and the revision that are run, however others move aliases and publish meanwhile.
async fn resolve(
    app: &App,
    function: &FunctionName,
    code: Code,
    id: &ExecutionId,
) -> Result<(Option<u32>, Option<Revision>), ApiError> {
    match code {
        Code::Version(wanted) => {
            let version = app.catalog.resolve(function, wanted.as_ref(), Some(id)).await?;
            Ok((version.number(), Some(version.revision.clone())))
        }
        Code::Latest => {
            let latest = app.catalog.resolve(function, Some(&VersionRef::Latest), None).await?;
            Ok((None, Some(latest.revision.clone())))
        }
        Code::Revision(revision) => {
            if !function.is_one_shot() {
                app.catalog.revision(function, &revision).await?;
            }
            Ok((None, Some(revision)))
        }
    }
}

/// Whether this request took the execution on, or an earlier one, so that it may be finished by now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
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
        Ok(None) => ticket.queued(function),
        // It is accepted all the same. An error would have the client submit it again.
        Err(error) if sent == Sent::Now => {
            tracing::warn!(id = %ticket.id, %error, "could not look for the record of an accepted execution");
            ticket.queued(function)
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
    let Ticket { id, version, submitted_at, .. } = ticket;
    match poll::until_final(app, function, id, *version, Some(*submitted_at), patience).await? {
        Some(record) => Ok(Some(poll::with_fresh_urls(app, record).await?)),
        None => Ok(None),
    }
}
