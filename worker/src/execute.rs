//! One message, from its receipt to its acknowledgement.

use std::time::{Duration, Instant};

use badlambda_shared::enqueue::message_for;
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::limits;
use badlambda_shared::message::ExecutionRequest;
use badlambda_shared::queue::Message;
use badlambda_shared::retry::Delays;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{Instrument, Span};

use crate::Worker;
use crate::acknowledge::Acknowledgement;
use crate::patience::{Unmet, patiently};
use crate::prepare::{Prepared, Unprepared, prepare};
use crate::publish::publish;
use crate::refuse::{later, refuse, unreadable};
use crate::room::Place;
use crate::running::{self, Ended};
use crate::sandbox::{Outcome, RetryWish};
use crate::turn::{GivenBack, Turn, record_of};

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);
const AT_ONCE: Duration = Duration::ZERO;
/// How long a message that is held ahead waits for a slot, before another worker had better have it.
const SLOT_PATIENCE: Duration = Duration::from_secs(1);

/// What a message takes up in the worker: room to be held, and, while it runs, a slot.
struct Taken {
    _place: Place,
    _slot: OwnedSemaphorePermit,
}

/// Sees one message through.
pub(crate) async fn execute(worker: &Worker, message: Message, place: Place) {
    let hold = worker.held.hold(&message.receipt_handle);
    let acknowledgement = see_through(worker, &message, place).instrument(span_of(&message)).await;
    drop(hold);
    worker.acknowledge(message.receipt_handle, acknowledgement).await;
}

/// Names the message, and the trace that it belongs to, on every line that is logged meanwhile. As an error it is there
/// for whatever is logged.
fn span_of(message: &Message) -> Span {
    let (trace, trace_id) = (&message.trace, message.trace.id());
    tracing::error_span!(
        "message",
        message_id = message.message_id,
        traceparent = trace.traceparent(),
        trace_id = trace_id.as_deref()
    )
}

async fn see_through(worker: &Worker, message: &Message, place: Place) -> Acknowledgement {
    let request = match message.received().parse(worker.config.default_function.as_ref()) {
        Ok(request) => request,
        Err(bad) => return unreadable(worker, message, bad).await,
    };
    let Ok(found) = record_of(worker, &request.function, &request.id).await else {
        return Acknowledgement::Retry(Duration::ZERO);
    };
    if found.as_ref().is_some_and(|found| found.record.status.is_final()) {
        return Acknowledgement::Done;
    }
    let mut turn = Turn::of(message, request, found);
    if turn.lost >= worker.config.max_attempts {
        let error = worker_lost(&turn);
        return refuse(worker, message, &turn, error).await;
    }
    if worker.max_receives.is_some_and(|most| message.receive_count > (most / 2).max(1)) {
        return renew(worker, message, turn.request).await;
    }
    let prepared = match prepare(worker, &turn.request).await {
        Ok(prepared) => prepared,
        Err(Unprepared::Never(error)) => return refuse(worker, message, &turn, error).await,
        Err(Unprepared::Stopping) => return give_back(worker, &mut turn, AT_ONCE, GivenBack::NotBegun).await,
    };
    let Some(slot) = slot(worker).await else {
        return give_back(worker, &mut turn, AT_ONCE, GivenBack::NotBegun).await;
    };
    run(worker, &mut turn, prepared, Taken { _place: place, _slot: slot }).await
}

/// After as many receives again the queue would dead-letter this message itself, without a record: a copy with the same
/// execution's id takes its place. It does so early, since receives whose answer is lost count, too.
async fn renew(worker: &Worker, message: &Message, request: ExecutionRequest) -> Acknowledgement {
    let send = || async {
        let mut copy = message_for(&worker.store, request.clone()).await?;
        // This receive was none of an attempt's.
        copy.receives = message.receives() - 1;
        let sent = worker.queue.send_batch(&[copy]).await?;
        sent.into_iter().try_for_each(|result| result.map(drop)).map_err(anyhow::Error::from)
    };
    match patiently("renew a message", &worker.stop, |_: &anyhow::Error| true, send).await {
        Ok(()) => Acknowledgement::Done,
        Err(_) => Acknowledgement::Retry(Duration::ZERO),
    }
}

fn worker_lost(turn: &Turn) -> ExecutionError {
    let lost = turn.lost;
    let why = match &turn.trouble {
        Some(trouble) => format!("; the last of them: {trouble}"),
        None => ": the workers that made them were lost".to_owned(),
    };
    let attempts = if lost == 1 { "one attempt".to_owned() } else { format!("{lost} attempts") };
    ExecutionError::new(ErrorKind::WorkerLost, format!("{attempts} ended without an answer{why}"))
}

/// A free slot; none where the worker stops, or others could run the message sooner.
async fn slot(worker: &Worker) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        biased;
        () = worker.stop.cancelled() => None,
        slot = worker.slots.clone().acquire_owned() => slot.ok(),
        () = tokio::time::sleep(SLOT_PATIENCE) => {
            worker.room.see_stall();
            None
        }
    }
}

async fn run(worker: &Worker, turn: &mut Turn, prepared: Prepared, taken: Taken) -> Acknowledgement {
    let version = prepared.version.clone();
    let _protected = worker.protection.cover(Duration::from_millis(version.config.timeout_ms));
    let began_at = Instant::now();
    let ended = running::run(worker, turn, prepared).await;
    worker.room.see(began_at.elapsed());
    let outcome = match ended {
        Ended::Outcome(outcome) => outcome,
        Ended::Overtaken => return Acknowledgement::Done,
        Ended::Abandoned => return give_back(worker, turn, AT_ONCE, GivenBack::Stopping).await,
        Ended::Trouble(error) => {
            tracing::warn!(execution = %turn.request.id, %error, "an attempt got no outcome");
            let delay = growing_delay(turn.lost);
            return give_back(worker, turn, delay, GivenBack::Trouble(error.to_string())).await;
        }
    };
    if let Some(delay) = retry_delay(turn, &outcome, version.config.retries) {
        return give_back(worker, turn, delay, GivenBack::Failed).await;
    }
    // Publishing is waiting, which needs no slot; but where it stalls, no more is taken on.
    let publishing = worker.publishing_permit(&outcome).await;
    drop(taken);
    let published = publish(worker, turn, version.version, *outcome).await;
    drop(publishing);
    match published {
        Ok(()) => Acknowledgement::Done,
        Err(Unmet::Stopped) => Acknowledgement::Retry(Duration::ZERO),
        Err(Unmet::Never(error)) => later(&error),
    }
}

/// When a failure is to be tried again, if it is.
fn retry_delay(turn: &Turn, outcome: &Outcome, retries: u64) -> Option<Duration> {
    if outcome.result.is_ok() {
        return None;
    }
    let failed = u64::from(turn.failed);
    let (most, asked) = match outcome.retry {
        RetryWish::Never => return None,
        RetryWish::AsConfigured => (retries, None),
        // As often as its config could have said.
        RetryWish::Again(asked) => (*limits::RETRIES.range.end(), asked),
    };
    (failed < most).then(|| asked.unwrap_or_else(|| growing_delay(turn.failed)))
}

/// Gives the message back, to be received again after `delay`, unless its execution has its final record meanwhile.
async fn give_back(worker: &Worker, turn: &mut Turn, delay: Duration, why: GivenBack) -> Acknowledgement {
    if turn.note_given_back(worker, &why).await {
        return Acknowledgement::Done;
    }
    Acknowledgement::Retry(delay)
}

/// Grows with how often it came to this before.
fn growing_delay(before: u32) -> Duration {
    let mut delays = Delays::between(FIRST_RETRY, LONGEST_RETRY);
    for _ in 0..before {
        delays.next_delay();
    }
    delays.next_delay()
}
