//! Telling a function's destinations how its executions end, before their messages are deleted. Whoever comes to the end of
//! an execution tells of it, so that a destination may hear of it twice, and never not at all.

mod dead_letters;

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::aws::queue::{ElsewhereError, Queue};
use badlambda_shared::aws::store::{Bounded, Store, StoreError};
use badlambda_shared::execution::destinations::Destinations;
use badlambda_shared::execution::failure::FailureBody;
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::execution::message::{ExecutionRequest, Input};
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::{ErrorKind, Status};
use badlambda_shared::function::account::Account;
use badlambda_shared::function::catalog::{Catalog, Runnable};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio_util::sync::CancellationToken;

use crate::settle::Settlement;
use crate::steps::retry::{RetryError, delay_unless_stopped, retry_until, stopped_or_after};

/// How long a queue that takes nothing may hold up a message.
const PATIENCE: Duration = Duration::from_secs(60);
/// When it is tried again.
const LATER: Duration = Duration::from_secs(60);

/// What the step needs.
pub(crate) struct Notifier {
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) account: Account,
    pub(crate) stop: CancellationToken,
}

/// A queue that is told, by its ARN.
#[derive(Clone, Copy, Debug)]
enum Told<'a> {
    /// As a destination: what came of the execution.
    Destination(&'a str),
    /// As a dead-letter queue: its event.
    DeadLetters(&'a str),
}

/// What a destination is sent, as AWS Lambda has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    version: &'static str,
    timestamp: Timestamp,
    request_context: RequestContext<'a>,
    request_payload: Option<&'a RawValue>,
    response_context: ResponseContext,
    response_payload: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: String,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'static str>,
}

impl Notifier {
    /// Tells of the end that `settlement` is, where it is one. `runnable` is what was run, as far as that is known. A message
    /// whose destination can't be told now comes back, finds the record, and is told of then.
    pub(crate) async fn notify(
        &self,
        request: Option<&ExecutionRequest>,
        runnable: Option<Arc<Runnable>>,
        settlement: Settlement,
    ) -> Settlement {
        let Some(request) = request else { return settlement };
        let refused_record;
        let record = match &settlement {
            Settlement::Done { record, .. } => record,
            Settlement::DeadLetter { refused: Some(refused), error } => {
                refused_record = refused.record.clone().failed(error.clone());
                &refused_record
            }
            _ => return settlement,
        };
        let destinations = self.destinations(request, runnable).await;
        for told in told(&destinations, record.status) {
            match self.send(told, request, record).await {
                Ok(()) => {}
                Err(RetryError::Permanent(error)) => {
                    tracing::error!(function = %request.function, execution = %request.id, %error, "a destination is not told");
                }
                Err(RetryError::GaveUp) => {
                    let after = delay_unless_stopped(&self.stop, LATER);
                    return Settlement::Retry { after, because: GivenBack::NotStored };
                }
            }
        }
        settlement
    }

    /// The queues that may be to be told.
    async fn destinations(
        &self,
        request: &ExecutionRequest,
        runnable: Option<Arc<Runnable>>,
    ) -> Destinations {
        let said = request.invocation.as_ref().and_then(|invocation| invocation.destinations.clone());
        match (said, runnable) {
            (Some(said), _) => said,
            (None, Some(runnable)) => runnable.config.destinations(),
            // It had ended before this delivery. Where nothing can be found out, there is nobody left to tell.
            (None, None) => match self.catalog.runnable(request).await {
                Ok(runnable) => runnable.config.destinations(),
                Err(_) => Destinations::default(),
            },
        }
    }

    async fn send(
        &self,
        told: Told<'_>,
        request: &ExecutionRequest,
        record: &Record,
    ) -> Result<(), RetryError<NotifyError>> {
        let may_pass = |error: &NotifyError| match error {
            NotifyError::Queue(ElsewhereError::NoQueue(..)) => false,
            NotifyError::Queue(ElsewhereError::Queue(_)) => true,
            NotifyError::Store(error) => error.may_pass(),
            NotifyError::Json(_) | NotifyError::TooLarge => false,
        };
        let attempt = || async {
            match told {
                Told::Destination(queue) => {
                    let body = self.body(request, record).await?;
                    Ok(self.queue.send_elsewhere(queue, &body, &[]).await?)
                }
                Told::DeadLetters(queue) => self.send_event(queue, request, record).await,
            }
        };
        retry_until("tell a destination", stopped_or_after(&self.stop, PATIENCE), may_pass, attempt).await
    }

    /// The message. What does not fit into one is left out of it: first the result, then the input, too.
    async fn body(&self, request: &ExecutionRequest, record: &Record) -> Result<String, NotifyError> {
        let input = self.input(request).await?;
        let result = match &record.error {
            Some(_) => Some(to_raw_value(&FailureBody::of(record))?),
            None if record.result.is_some() => record.result.clone(),
            None => self.stored(record.result_key.as_deref()).await?,
        };
        for (input, result) in [(&input, &result), (&input, &None), (&None, &None)] {
            let body = self.notification(request, record, input.as_deref(), result.as_deref())?;
            if body.len() < limits::SQS_MESSAGE_BYTES {
                return Ok(body);
            }
        }
        Ok(self.notification(request, record, None, None)?)
    }

    fn notification(
        &self,
        request: &ExecutionRequest,
        record: &Record,
        input: Option<&RawValue>,
        result: Option<&RawValue>,
    ) -> serde_json::Result<String> {
        let version = record.version.map_or_else(|| "$LATEST".to_owned(), |version| version.to_string());
        let named = request.invocation.as_ref().and_then(|call| call.invoked_function_arn.clone());
        let arn = self.account.function_arn(request.function.as_str());
        let condition = match &record.error {
            None => "Success",
            Some(error) if error.kind == ErrorKind::Expired => "EventAgeExceeded",
            Some(_) => "RetriesExhausted",
        };
        let notification = Notification {
            version: "1.0",
            timestamp: record.finished_at.unwrap_or_else(Timestamp::now),
            request_context: RequestContext {
                request_id: record.id.as_str(),
                function_arn: named.unwrap_or_else(|| format!("{arn}:{version}")),
                condition,
                approximate_invoke_count: record.attempts,
            },
            request_payload: input,
            response_context: ResponseContext {
                status_code: 200,
                executed_version: version,
                function_error: record.error.as_ref().map(|_| "Unhandled"),
            },
            response_payload: result,
        };
        serde_json::to_string(&notification)
    }

    /// The execution's input; nothing where it is too large for a message.
    async fn input(&self, request: &ExecutionRequest) -> Result<Option<Box<RawValue>>, NotifyError> {
        match &request.input {
            Input::Inline(json) => Ok(Some(json.clone())),
            Input::Stored(key) => self.stored(Some(key)).await,
        }
    }

    /// An input or a result in the bucket; nothing where it is too large for a message.
    async fn stored(&self, key: Option<&str>) -> Result<Option<Box<RawValue>>, NotifyError> {
        let Some(key) = key else { return Ok(None) };
        let object = match self.store.get_bounded(key, limits::SQS_MESSAGE_BYTES as u64).await? {
            Some(Bounded::Object(object)) => object,
            _ => return Ok(None),
        };
        Ok(Some(serde_json::from_slice(&object.bytes)?))
    }
}

/// Who is told of an execution that ended so.
fn told(destinations: &Destinations, status: Status) -> impl Iterator<Item = Told<'_>> {
    let Destinations { on_success, on_failure, dead_letters } = destinations;
    let (destination, dead_letters) = match status {
        Status::Succeeded => (on_success.as_deref(), None),
        Status::Failed => (on_failure.as_deref(), dead_letters.as_deref()),
        _ => (None, None),
    };
    destination.map(Told::Destination).into_iter().chain(dead_letters.map(Told::DeadLetters))
}

/// A destination was not told.
#[derive(Debug, thiserror::Error)]
enum NotifyError {
    #[error(transparent)]
    Queue(#[from] ElsewhereError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("what is stored is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the event leaves no room in a message for what is told beside it")]
    TooLarge,
}
