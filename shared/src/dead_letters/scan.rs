//! A scan of the dead-letter queue: each message once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::{DeadLetter, DeadLetterError, DeadLetters, LOOK, Progress, Selection, WAIT};
use crate::aws::queue::Message;
use crate::limits;
use crate::timestamp::Timestamp;

/// So many receives in a row that bring only what was seen before end a scan. SQS rarely hands out one message twice.
const MOST_REPEATS: u32 = 3;

/// A scan of the messages. Those that it has received are invisible to others until it ends.
pub(super) struct Scan<'a> {
    letters: &'a DeadLetters,
    selection: &'a Selection,
    progress: &'a Progress,
    /// What came later is not meant.
    until: Option<Timestamp>,
    /// Received, and not come to yet.
    waiting: Vec<Message>,
    /// The receipt handles of what was received and is still there, by the messages' ids.
    taken: HashMap<String, String>,
    /// The ids of what was deleted: SQS may hand it out once more all the same.
    deleted: HashSet<String>,
    /// When all that was taken was made invisible last.
    hidden_at: Instant,
    is_over: bool,
}

impl<'a> Scan<'a> {
    /// Of all that it comes to.
    pub(super) fn begin(letters: &'a DeadLetters, selection: &'a Selection, progress: &'a Progress) -> Self {
        Self {
            letters,
            selection,
            progress,
            until: None,
            waiting: vec![],
            taken: HashMap::new(),
            deleted: HashSet::new(),
            hidden_at: Instant::now(),
            is_over: false,
        }
    }

    /// Of what is there by now, so that it has an end.
    pub(super) fn of_what_is_there(
        letters: &'a DeadLetters,
        selection: &'a Selection,
        progress: &'a Progress,
    ) -> Self {
        // Who names one message means it whenever it came.
        let until = selection.id.is_none().then(Timestamp::now);
        Self { until, ..Self::begin(letters, selection, progress) }
    }

    /// The next message that is meant; `None` at the end, or once the scan is stopped.
    pub(super) async fn next(&mut self) -> Result<Option<DeadLetter>, DeadLetterError> {
        while !self.is_over
            && let Some(message) = self.next_message().await?
        {
            self.progress.lock().looked_at += 1;
            let is_other = self.selection.id.as_ref().is_some_and(|id| *id != message.message_id);
            if is_other || self.until.is_some_and(|until| message.sent_at > until) {
                continue;
            }
            let letter = self.letters.read(message).await?;
            if self.selection.means(&letter) {
                self.is_over = self.selection.id.is_some();
                return Ok(Some(letter));
            }
        }
        Ok(None)
    }

    async fn next_message(&mut self) -> Result<Option<Message>, DeadLetterError> {
        let mut repeats = 0;
        self.hide_again().await?;
        while self.waiting.is_empty() && repeats < MOST_REPEATS && !self.progress.stop.is_cancelled() {
            let received = self.letters.queue.receive(limits::SQS_BATCH, WAIT, LOOK).await?;
            if received.is_empty() {
                break;
            }
            repeats += 1;
            for message in received {
                if self.deleted.contains(&message.message_id) {
                    continue;
                }
                let handle = message.receipt_handle.clone();
                // SQS may hand a message out twice. That says nothing about the others.
                if self.taken.insert(message.message_id.clone(), handle).is_none() {
                    self.waiting.push(message);
                }
            }
        }
        Ok(self.waiting.pop().filter(|_| !self.progress.stop.is_cancelled()))
    }

    /// Keeps what was taken from showing up again before the scan is over, however slow it is.
    async fn hide_again(&mut self) -> Result<(), DeadLetterError> {
        if self.hidden_at.elapsed() < LOOK / 2 {
            return Ok(());
        }
        self.hidden_at = Instant::now();
        self.set_visibility(LOOK).await
    }

    /// Deletes a message that it came to.
    pub(super) async fn delete(&mut self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let Some(handle) = self.taken.get(&letter.message_id) else { return Ok(()) };
        for result in self.letters.queue.delete_batch(std::slice::from_ref(handle)).await? {
            result?;
        }
        self.taken.remove(&letter.message_id);
        self.deleted.insert(letter.message_id.clone());
        Ok(())
    }

    /// Shows the others again.
    pub(super) async fn end(self) -> Result<(), DeadLetterError> {
        self.set_visibility(Duration::ZERO).await
    }

    async fn set_visibility(&self, visibility: Duration) -> Result<(), DeadLetterError> {
        let handles: Vec<&String> = self.taken.values().collect();
        for batch in handles.chunks(limits::SQS_BATCH) {
            let changes: Vec<_> = batch.iter().map(|handle| ((*handle).clone(), visibility)).collect();
            self.letters.queue.change_visibility_batch(&changes).await?;
        }
        Ok(())
    }
}
