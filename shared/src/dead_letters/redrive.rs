//! Dead letters on their way out: back to the queue, or away.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::scan::Scan;
use super::{DeadLetter, DeadLetterError, DeadLetters, Progress, Selection};
use crate::aws::store::StoreError;
use crate::execution::enqueue::message_for;
use crate::execution::id::ExecutionId;
use crate::execution::message::{ExecutionRequest, Input};
use crate::execution::record::Record;
use crate::execution::records::Recorded;
use crate::execution::{ErrorKind, ExecutionError};
use crate::function::name::FunctionName;
use crate::index::{Line, store_lines};
use crate::limits;
use crate::timestamp::Timestamp;

/// What became of a message that was sent back.
#[derive(Clone, Debug)]
pub struct Redriven {
    /// Its id in the dead-letter queue.
    pub message_id: String,
    /// The execution it asks for now: a new one where the old one has its final record, which never changes.
    pub execution: Option<(FunctionName, ExecutionId)>,
}

impl DeadLetters {
    /// Sends messages back to the queue they came from, at most `per_second` in a second. What SQS moved there from
    /// another queue is left, and so is what came after the beginning: a redriven message that failed again, for one.
    ///
    /// # Errors
    /// When SQS or S3 fails. What was sent back by then is counted in `progress`; the rest is as it was.
    pub async fn redrive(
        &self,
        selection: &Selection,
        per_second: u32,
        progress: &Progress,
    ) -> Result<Vec<Redriven>, DeadLetterError> {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut scan = Scan::of_what_is_there(self, selection, progress);
        let redriven = self.redrive_each(&mut scan, pace, progress).await;
        // Whatever came in between: what was looked at and is still there is to be seen again.
        let ended = scan.end().await;
        redriven.and_then(|redriven| ended.map(|()| redriven))
    }

    async fn redrive_each(
        &self,
        scan: &mut Scan<'_>,
        mut pace: Interval,
        progress: &Progress,
    ) -> Result<Vec<Redriven>, DeadLetterError> {
        let mut redriven = vec![];
        while let Some(letter) = scan.next().await? {
            if self.is_of_another_queue(&letter) {
                progress.lock().skipped += 1;
                continue;
            }
            tokio::select! {
                biased;
                () = progress.stop.cancelled() => break,
                _ = pace.tick() => {}
            }
            let execution = self.send_back(&letter).await?;
            scan.delete(&letter).await?;
            progress.lock().done += 1;
            redriven.push(Redriven { message_id: letter.message_id, execution });
        }
        Ok(redriven)
    }

    /// Deletes messages, and answers how many. An execution without a final record gets one.
    ///
    /// # Errors
    /// When SQS or S3 fails. What was deleted by then is counted in `progress`; the rest is as it was.
    pub async fn purge(&self, selection: &Selection, progress: &Progress) -> Result<u64, DeadLetterError> {
        let mut scan = Scan::of_what_is_there(self, selection, progress);
        let purged = self.purge_each(&mut scan, progress).await;
        let ended = scan.end().await;
        purged.and(ended).map(|()| progress.counts().done)
    }

    async fn purge_each(&self, scan: &mut Scan<'_>, progress: &Progress) -> Result<(), DeadLetterError> {
        while let Some(letter) = scan.next().await? {
            if letter.kind.is_none()
                && let Some(request) = letter.request()
            {
                self.record_lost(request, &letter).await?;
            }
            scan.delete(&letter).await?;
            progress.lock().done += 1;
        }
        Ok(())
    }

    /// Whether SQS moved the message from another queue than this one's.
    pub fn is_of_another_queue(&self, letter: &DeadLetter) -> bool {
        letter.message.moved_from.as_deref().is_some_and(|name| name != self.source.name())
    }

    async fn send_back(
        &self,
        letter: &DeadLetter,
    ) -> Result<Option<(FunctionName, ExecutionId)>, DeadLetterError> {
        let Some(mut request) = letter.request() else {
            self.source.send_copy(&letter.message, Some(&letter.body), &[]).await?;
            return Ok(None);
        };
        let found = self.records.find(&request.function, &request.id).await?;
        if found.is_some_and(|found| found.record.status.is_final()) {
            request.input = self.input_of(&request).await?;
            request.id = ExecutionId::issue(&request.function);
            request.submitted_at = Timestamp::now();
        }
        let execution = (request.function.clone(), request.id.clone());
        let message = message_for(&self.store, request).await?;
        let sent = self.source.send_batch(&[message]).await?;
        for result in sent {
            result?;
        }
        Ok(Some(execution))
    }

    /// The input itself: what is stored belongs to the old id.
    async fn input_of(&self, request: &ExecutionRequest) -> Result<Input, DeadLetterError> {
        let Input::Stored(key) = &request.input else { return Ok(request.input.clone()) };
        let own_key = self.store.keys().input(&request.function, &request.id);
        let most = limits::MAX_INPUT_BYTES_CEILING;
        let object = if *key == own_key { self.store.get(key, most).await? } else { None };
        let json = object.and_then(|object| serde_json::from_slice(&object.bytes).ok());
        Ok(json.map_or_else(|| request.input.clone(), Input::Inline))
    }

    /// Records an execution as lost, and lists it.
    async fn record_lost(&self, request: ExecutionRequest, letter: &DeadLetter) -> Result<(), StoreError> {
        let queued = Record::queued(request.id, request.function, None, request.submitted_at);
        let error = ExecutionError::new(ErrorKind::WorkerLost, letter.reason.clone());
        let found = self.records.find(&queued.function, &queued.id).await?;
        let record = queued.failed(error);
        let written = self.records.write(&record, found.as_ref().map(|found| found.etag.as_str())).await?;
        let line = match written {
            Recorded::Stored { .. } => Line::of(&record),
            Recorded::AlreadyFinal(other) => Line::of(&other),
        };
        store_lines(&self.store, vec![line]).await
    }
}
