//! The end of every delivery, and the one place that deletes a message, gives it back, or dead-letters it, and that lists,
//! logs and counts how it ended.

pub(crate) mod acknowledge;
pub(crate) mod batch;

use std::time::Duration;

use badlambda_shared::aws::queue::{Message, OutgoingMessage, SendBatcher};
use badlambda_shared::aws::store::StoreError;
use badlambda_shared::dead_letters::{DeadLetterError, DeadLetters};
use badlambda_shared::execution::ExecutionError;
use badlambda_shared::execution::enqueue::{chunk_message, copy_of};
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::records::{Recorded, Records};
use badlambda_shared::index::Line;
use badlambda_shared::process::metrics::{function_label, known_function_label};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::index::IndexWriter;
use crate::map::{ChunkDelivery, ChunkSettlement};
use crate::metrics::{DEAD_LETTERS, EXECUTIONS, QUEUE_WAIT, RETRIES};
use crate::receive::delivery::{Delivery, Receipt};
use crate::settle::acknowledge::Acknowledgement;
use crate::steps::concurrency::NotAdmitted;
use crate::steps::retry::{delay_unless_stopped, retry_until, stopped_or_after};

/// How long a dead-letter queue or a bucket that takes nothing may hold up a message.
const PATIENCE: Duration = Duration::from_secs(120);
/// When what could not be done is tried again.
const LATER: Duration = Duration::from_secs(15 * 60);

/// What is to become of a message.
#[derive(Debug)]
pub(crate) enum Settlement {
    /// It is listed and deleted: its execution has this final record.
    Done {
        /// The record.
        record: Box<Record>,
        /// Whether this delivery has come to it, and no other.
        is_own: bool,
    },
    /// It is given back, to be received again.
    Retry {
        /// How much later.
        after: Duration,
        /// Why.
        because: GivenBack,
    },
    /// It goes to the dead-letter queue.
    DeadLetter {
        /// The execution that it asks for, which is to end so.
        refused: Option<Box<Refused>>,
        /// Why.
        error: ExecutionError,
    },
}

impl From<NotAdmitted> for Settlement {
    fn from(NotAdmitted { after, because }: NotAdmitted) -> Self {
        Self::Retry { after, because }
    }
}

/// An execution that ends without having been run.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its record so far.
    pub(crate) record: Record,
    /// Of the stored record as it was last seen.
    pub(crate) etag: Option<String>,
}

/// What the step needs.
pub(crate) struct Settler {
    pub(crate) copies: SendBatcher,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) records: Records,
    pub(crate) index: IndexWriter,
    pub(crate) acknowledgements: mpsc::Sender<Acknowledgement>,
    pub(crate) stop: CancellationToken,
}

impl Settler {
    /// Settles a delivery, which ends with this.
    pub(crate) async fn settle(&self, delivery: Delivery, settlement: Settlement) {
        match settlement {
            Settlement::Done { record, is_own } => {
                if is_own {
                    note_finished(&record);
                }
                self.list_and_delete(delivery, Line::of(&record)).await;
            }
            Settlement::Retry { after, because } => self.give_back_execution(delivery, after, &because).await,
            Settlement::DeadLetter { refused, error } => {
                match self.dead_letter(&delivery, refused, error).await {
                    Some(Some(line)) => self.list_and_delete(delivery, line).await,
                    Some(None) => self.delete(delivery.into()).await,
                    None => self.give_back_execution(delivery, self.later(), &GivenBack::NotStarted).await,
                }
            }
        }
    }

    /// Lists the execution, and only then deletes the message. A message whose execution could not be listed comes back,
    /// finds the record, and is listed then.
    async fn list_and_delete(&self, delivery: Delivery, line: Line) {
        let receipt = Receipt::from(delivery);
        if self.index.write(line).await {
            self.delete(receipt).await;
        } else {
            self.release(receipt, self.later()).await;
        }
    }

    async fn delete(&self, receipt: Receipt) {
        let Receipt { receipt_handle, lease } = receipt;
        drop(lease);
        self.acknowledge(Acknowledgement::Delete(receipt_handle)).await;
    }

    /// When what could not be done is tried again: at once by another worker, if this one stops.
    fn later(&self) -> Duration {
        delay_unless_stopped(&self.stop, LATER)
    }

    async fn give_back_execution(&self, delivery: Delivery, after: Duration, because: &GivenBack) {
        log_given_back(&delivery, after, because);
        let history = delivery.history.given_back(because, after);
        let request = delivery.request.as_ref().ok();
        let copy = request.and_then(|request| copy_of(request.clone(), history, after));
        self.give_back(delivery.into(), copy, after, because).await;
    }

    /// Sends `copy` of the message, which carries what became of it, and deletes the original. A message that has no copy, or
    /// whose copy SQS does not take, is released as it is, which counts as a lost attempt.
    async fn give_back(
        &self,
        receipt: Receipt,
        copy: Option<OutgoingMessage>,
        after: Duration,
        because: &GivenBack,
    ) {
        RETRIES.count([because.name()]);
        let is_sent = match copy {
            Some(copy) => self
                .copies
                .send(copy)
                .await
                .inspect_err(|error| {
                    tracing::warn!(%error, "could not send the copy of a message that is given back");
                })
                .is_ok(),
            None => false,
        };
        if is_sent { self.delete(receipt).await } else { self.release(receipt, after).await }
    }

    async fn release(&self, receipt: Receipt, after: Duration) {
        let Receipt { receipt_handle, lease } = receipt;
        // A renewal that came later would hide the message again.
        lease.end().await;
        self.acknowledge(Acknowledgement::Release(receipt_handle, after)).await;
    }

    /// Copies the message to the dead-letter queue, and then records why its execution ends: after a failure in between
    /// the message is there twice, and never not at all. Returns the line of its execution, if one is known; `None` where
    /// neither could be done in time.
    async fn dead_letter(
        &self,
        delivery: &Delivery,
        refused: Option<Box<Refused>>,
        error: ExecutionError,
    ) -> Option<Option<Line>> {
        let id = refused.as_ref().map(|refused| &refused.record.id);
        self.add_dead_letter(&delivery.message, id, &error).await?;
        let Some(refused) = refused else { return Some(None) };
        let record = refused.record.failed(error.bounded());
        let write = || self.records.write(&record, refused.etag.as_deref());
        let give_up = stopped_or_after(&self.stop, PATIENCE);
        match retry_until("write a final record", give_up, StoreError::may_pass, write).await.ok()? {
            Recorded::Stored { .. } => {
                note_finished(&record);
                Some(Some(Line::of(&record)))
            }
            Recorded::AlreadyFinal(other) => Some(Some(Line::of(&other))),
        }
    }

    /// Copies the message to the dead-letter queue; `None` where that can't be done in time.
    async fn add_dead_letter(
        &self,
        message: &Message,
        id: Option<&ExecutionId>,
        error: &ExecutionError,
    ) -> Option<()> {
        let add = || self.dead_letters.add(message, id, error);
        let any = |_: &DeadLetterError| true;
        retry_until("dead-letter a message", stopped_or_after(&self.stop, PATIENCE), any, add).await.ok()?;
        tracing::info!(reason = error.message, "dead-lettered a message");
        DEAD_LETTERS.count([error.kind.name()]);
        Some(())
    }

    /// Settles the delivery of a chunk of a map.
    pub(crate) async fn settle_chunk(&self, delivery: ChunkDelivery, settlement: ChunkSettlement) {
        let (after, because) = match settlement {
            ChunkSettlement::Done => return self.delete(delivery.into()).await,
            ChunkSettlement::Retry { after, because } => (after, because),
            ChunkSettlement::DeadLetter(error) => {
                match self.add_dead_letter(&delivery.message, None, &error).await {
                    Some(()) => return self.delete(delivery.into()).await,
                    None => (self.later(), GivenBack::NotStarted),
                }
            }
        };
        let history = delivery.history.given_back(&because, after);
        let trace = delivery.message.trace.clone();
        let copy = delivery.request.as_ref().ok();
        let copy = copy.and_then(|request| chunk_message(request, Some(history), after, trace).ok());
        self.give_back(delivery.into(), copy, after, &because).await;
    }

    async fn acknowledge(&self, acknowledgement: Acknowledgement) {
        if self.acknowledgements.send(acknowledgement).await.is_err() {
            tracing::error!("an acknowledgement came after the end");
        }
    }
}

/// Logs that a message comes back. One that was only prefetched is no news.
fn log_given_back(delivery: &Delivery, after: Duration, because: &GivenBack) {
    let execution = delivery.request.as_ref().ok().map(|request| request.id.as_str());
    let after_ms = after.as_millis() as u64;
    match because {
        GivenBack::Lost(error) => tracing::warn!(execution, after_ms, error, "an attempt got no outcome"),
        GivenBack::NotStarted | GivenBack::AtCap => {
            tracing::debug!(execution, after_ms, "a message is given back")
        }
        _ => tracing::info!(execution, after_ms, ?because, "a message is given back"),
    }
}

/// Notes what came of an execution whose final record this worker has stored.
fn note_finished(record: &Record) {
    log_finished(record);
    count_finished(record);
}

fn count_finished(record: &Record) {
    // What never began may name a function that does not exist.
    let function = match record.started_at {
        Some(_) => function_label(&record.function),
        None => known_function_label(&record.function),
    };
    let kind = record.error.as_ref().map_or("none", |error| error.kind.name());
    EXECUTIONS.count([function, record.status.name(), kind]);
    if let Some(started_at) = record.started_at {
        QUEUE_WAIT.record([function], record.submitted_at.until(started_at));
    }
}

/// Logs what came of it; never what the code said or returned. CloudWatch's metrics and alarms are made of this line.
fn log_finished(record: &Record) {
    let queued_ms = record.started_at.map(|at| at.unix_ms() - record.submitted_at.unix_ms());
    tracing::info!(
        function = %record.function,
        version = record.version,
        execution = %record.id,
        status = record.status.name(),
        kind = record.error.as_ref().map(|error| error.kind.name()),
        attempts = record.attempts,
        wall_ms = record.usage.map(|usage| usage.wall_ms),
        queued_ms,
        "execution finished"
    );
}
