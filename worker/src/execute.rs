//! One message, from its receipt to its acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::catalog::CatalogError;
use badlambda_shared::execution::{ErrorKind, Execution, ExecutionError};
use badlambda_shared::function::Version;
use badlambda_shared::id::Origin;
use badlambda_shared::message::{BadMessage, ExecutionRequest, Input, depth_is_bounded};
use badlambda_shared::queue::Message;
use badlambda_shared::retry::Delays;
use tokio::sync::OwnedSemaphorePermit;

use crate::Worker;
use crate::acknowledge::Acknowledgement;
use crate::publish::{self, Attempt};
use crate::sandbox::{ExecutorError, Task};

/// What still runs after this is recorded as running.
const RECORD_RUNNING_AFTER: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// Why a message is not run, or did not get an outcome.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// It can never run: final record, dead-letter queue.
    #[error("{}", .0.message)]
    Never(ExecutionError),
    /// Our side failed; it may work later.
    #[error(transparent)]
    Later(#[from] anyhow::Error),
    /// This worker stops; another will run it.
    #[error("this worker stops")]
    HandBack,
}

/// Sees one message through. Its slot is given up once nothing runs any more.
pub(crate) async fn execute(worker: &Worker, message: Message, slot: OwnedSemaphorePermit) {
    worker.held.hold(&message.receipt_handle);
    let acknowledgement = match attempt(worker, &message, slot).await {
        Ok(acknowledgement) => acknowledgement,
        Err(error) => {
            tracing::warn!(
                message_id = message.message_id,
                error = format!("{error:#}"),
                "an attempt got no outcome"
            );
            Acknowledgement::Retry(retry_delay(message.receive_count))
        }
    };
    worker.held.release(&message.receipt_handle);
    worker.acknowledge(message.receipt_handle, acknowledgement).await;
}

async fn attempt(
    worker: &Worker,
    message: &Message,
    slot: OwnedSemaphorePermit,
) -> anyhow::Result<Acknowledgement> {
    let request = match message.received().parse(worker.config.default_function.as_ref()) {
        Ok(request) => request,
        Err(bad) => return refuse_bad(worker, message, bad).await,
    };
    let maybe_done = message.receive_count > 1 || request.id.origin(&request.function) == Origin::Foreign;
    if maybe_done && publish::is_final(worker, &request).await? {
        return Ok(Acknowledgement::Done);
    }
    if message.receive_count > worker.config.max_attempts {
        let attempts = worker.config.max_attempts;
        let lost =
            format!("{attempts} attempts ended without an answer: the workers that made them were lost");
        return refuse(worker, message, &request, None, ExecutionError::new(ErrorKind::WorkerLost, lost))
            .await;
    }
    let version = match worker.catalog.resolve(&request.function, request.version.as_ref()).await {
        Ok(version) => version,
        Err(CatalogError::NotFound(what)) => {
            return refuse(worker, message, &request, None, ExecutionError::new(ErrorKind::NotFound, what))
                .await;
        }
        Err(error) => return Err(error.into()),
    };
    match run(worker, message, &request, &version, slot).await {
        Ok(acknowledgement) => Ok(acknowledgement),
        Err(Refusal::Never(error)) => refuse(worker, message, &request, Some(version.version), error).await,
        Err(Refusal::Later(error)) => Err(error),
        Err(Refusal::HandBack) => Ok(Acknowledgement::Retry(Duration::ZERO)),
    }
}

async fn run(
    worker: &Worker,
    message: &Message,
    request: &ExecutionRequest,
    version: &Version,
    slot: OwnedSemaphorePermit,
) -> Result<Acknowledgement, Refusal> {
    if version.config.network && !worker.config.sandbox.executor.network {
        let message = "the function's config has \"network\": true, which this fleet does not allow; \
                       its operator can set BADLAMBDA_ALLOW_NETWORK=true";
        return Err(never(message));
    }
    let event = read_input(worker, request).await?;
    let code = worker.catalog.code(version).await.map_err(anyhow::Error::from)?;
    let task = Task {
        execution_id: request.id.to_string(),
        function: request.function.to_string(),
        version: version.version,
        attempt: message.receive_count,
        form: version.form,
        code_sha256: version.code_sha256.clone(),
        code,
        config: version.config.clone(),
        event,
        cancelled: Some(Arc::clone(&worker.abandon)),
    };
    let executor = Arc::clone(&worker.executor);
    let mut running = tokio::task::spawn_blocking(move || executor.execute(&task));
    let mut attempt =
        Attempt { request, version: Some(version.version), number: message.receive_count, etag: None };
    let ended = match tokio::time::timeout(RECORD_RUNNING_AFTER, &mut running).await {
        Ok(ended) => ended,
        Err(_) => {
            attempt.record_running(worker).await;
            running.await
        }
    };
    let outcome = match ended.map_err(anyhow::Error::from)? {
        Ok(outcome) => outcome,
        Err(ExecutorError::Cancelled) => return Err(Refusal::HandBack),
        Err(error) => return Err(Refusal::Later(error.into())),
    };
    if outcome.result.is_err() && u64::from(message.receive_count) <= version.config.retries {
        return Ok(Acknowledgement::Retry(retry_delay(message.receive_count)));
    }
    // Publishing is waiting, which needs no slot; but where it stalls, no more is taken on.
    let publishing = worker.publishing.acquire().await.map_err(anyhow::Error::from)?;
    drop(slot);
    attempt.publish(worker, outcome).await?;
    drop(publishing);
    Ok(Acknowledgement::Done)
}

async fn read_input(worker: &Worker, request: &ExecutionRequest) -> Result<String, Refusal> {
    let most = worker.config.shared.max_input_bytes;
    let key = match &request.input {
        Input::Inline(json) if json.get().len() as u64 > most => {
            return Err(never(&format!("the input is larger than {most} bytes")));
        }
        Input::Inline(json) => return Ok(json.get().to_owned()),
        Input::Stored(key) => key,
    };
    // Any other key would let a producer read what is not theirs.
    if *key != worker.store.keys().input(&request.function, &request.id) {
        return Err(never("`input_key` is not the key of this execution's input"));
    }
    let object = worker.store.get(key, most).await.map_err(anyhow::Error::from)?;
    let bytes = object.ok_or_else(|| never("there is no object under `input_key`"))?.bytes;
    let text = String::from_utf8(bytes).map_err(|_| never("the input is not UTF-8"))?;
    if !depth_is_bounded(&text) {
        return Err(never("the input is nested too deeply"));
    }
    let checked: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
    checked.map_err(|error| never(&format!("the input is not JSON: {error}")))?;
    Ok(text)
}

fn never(message: &str) -> Refusal {
    Refusal::Never(ExecutionError::new(ErrorKind::BadMessage, message))
}

/// A message that says nothing that could be run.
async fn refuse_bad(worker: &Worker, message: &Message, bad: BadMessage) -> anyhow::Result<Acknowledgement> {
    dead_letter(worker, message, &bad.reason).await?;
    if let Some((function, id)) = bad.known {
        let record = Execution::queued(id, function, None, message.sent_at);
        let error = ExecutionError::new(ErrorKind::BadMessage, bad.reason);
        publish::fail(worker, record, error).await?;
    }
    Ok(Acknowledgement::Done)
}

/// A message that can never be run, whose execution gets a final record that says so.
async fn refuse(
    worker: &Worker,
    message: &Message,
    request: &ExecutionRequest,
    version: Option<u32>,
    error: ExecutionError,
) -> anyhow::Result<Acknowledgement> {
    dead_letter(worker, message, &error.message).await?;
    let mut record =
        Execution::queued(request.id.clone(), request.function.clone(), version, request.submitted_at);
    record.attempts = message.receive_count.saturating_sub(1);
    publish::fail(worker, record, error).await?;
    Ok(Acknowledgement::Done)
}

/// Comes before the record: after a failure in between, it is there twice, and never not at all.
async fn dead_letter(worker: &Worker, message: &Message, reason: &str) -> anyhow::Result<()> {
    worker.queue.copy_to_dead_letters(message, reason).await?;
    tracing::info!(message_id = message.message_id, "dead-lettered a message that can't run");
    Ok(())
}

/// How long to wait before the attempt that follows the `attempt`th.
fn retry_delay(attempt: u32) -> Duration {
    let mut delays = Delays::between(FIRST_RETRY, LONGEST_RETRY);
    for _ in 1..attempt {
        delays.next_delay();
    }
    delays.next_delay()
}
