//! Messages that can never be run, or were tried too often: they go to the dead-letter queue, which says why, and their
//! execution gets its final record.

use std::time::Duration;

use badlambda_shared::dead_letters::DeadLetterError;
use badlambda_shared::execution::{ErrorKind, Execution, ExecutionError};
use badlambda_shared::id::ExecutionId;
use badlambda_shared::message::BadMessage;
use badlambda_shared::queue::Message;
use badlambda_shared::records::Transition;
use badlambda_shared::store::StoreError;

use crate::Worker;
use crate::account::account;
use crate::acknowledge::Acknowledgement;
use crate::patience::{Unmet, patiently};
use crate::turn::{Stopped, Turn, record_of};

/// How long a dead-letter queue that takes nothing may hold up a message.
const BURY_PATIENCE: Duration = Duration::from_secs(120);
/// When what could not be done is tried again.
const LATER: Duration = Duration::from_secs(15 * 60);

/// A message that says nothing that could be run.
pub(crate) async fn unreadable(worker: &Worker, message: &Message, bad: BadMessage) -> Acknowledgement {
    let error = ExecutionError::new(ErrorKind::BadMessage, bad.reason);
    match bad.known {
        Some((function, id)) => {
            let record = Execution::queued(id, function, None, message.sent_at);
            conclude(worker, message, record, None, error).await
        }
        None => match bury(worker, message, None, &error).await {
            Ok(()) => Acknowledgement::Done,
            Err(delay) => Acknowledgement::Retry(delay),
        },
    }
}

/// A message whose execution can't be run.
pub(crate) async fn refuse(
    worker: &Worker,
    message: &Message,
    turn: &Turn,
    error: ExecutionError,
) -> Acknowledgement {
    let record = Execution { attempts: turn.number - 1, ..turn.record(None) };
    conclude(worker, message, record, turn.etag.as_deref(), error).await
}

/// The dead-letter queue comes first: after a failure in between the message is there twice, and never not at all.
async fn conclude(
    worker: &Worker,
    message: &Message,
    record: Execution,
    etag: Option<&str>,
    error: ExecutionError,
) -> Acknowledgement {
    match record_of(worker, &record.function, &record.id).await {
        Ok(Some(found)) if found.record.status.is_final() => return Acknowledgement::Done,
        Ok(_) => {}
        Err(Stopped) => return Acknowledgement::Retry(Duration::ZERO),
    }
    if let Err(delay) = bury(worker, message, Some(&record.id), &error).await {
        return Acknowledgement::Retry(delay);
    }
    let record = record.failed(error.bounded());
    let write = || worker.records.write(&record, etag);
    match patiently("write a final record", &worker.abandon, StoreError::may_pass, write).await {
        Ok(Transition::Stored(_)) => {
            account(&record);
            Acknowledgement::Done
        }
        Ok(Transition::Final(_) | Transition::Superseded) => Acknowledgement::Done,
        Err(Unmet::Stopped) => Acknowledgement::Retry(Duration::ZERO),
        Err(Unmet::Never(error)) => later(&error),
    }
}

/// What may never succeed holds nothing up meanwhile.
pub(crate) fn later(error: &StoreError) -> Acknowledgement {
    tracing::error!(%error, "a message is given back for a while");
    Acknowledgement::Retry(LATER)
}

/// Copies the message to the dead-letter queue, or answers when to try again.
async fn bury(
    worker: &Worker,
    message: &Message,
    execution: Option<&ExecutionId>,
    error: &ExecutionError,
) -> Result<(), Duration> {
    let bury = || worker.dead_letters.bury(message, execution, error);
    let burying = patiently("dead-letter a message", &worker.stop, |_: &DeadLetterError| true, bury);
    match tokio::time::timeout(BURY_PATIENCE, burying).await {
        Ok(Ok(())) => {
            let (message_id, reason) = (&message.message_id, &error.message);
            tracing::info!(message_id, reason, "dead-lettered a message");
            Ok(())
        }
        Ok(Err(Unmet::Stopped | Unmet::Never(_))) => Err(Duration::ZERO),
        Err(_) => Err(LATER),
    }
}
