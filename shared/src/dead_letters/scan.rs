//! A scan of the dead-letter queue: each message once.

use std::collections::HashMap;
use std::time::Duration;

use super::{DeadLetterError, DeadLetters, LOOK, Selection, WAIT};
use crate::limits;
use crate::queue::Message;
use crate::timestamp::Timestamp;

/// So many receives in a row that bring only what was seen before end a scan: it takes so long that its first messages
/// are visible again.
const MOST_REPEATS: u32 = 3;

/// A scan of the messages. Those that it has received are invisible to others until it ends.
pub(super) struct Scan<'a> {
    letters: &'a DeadLetters,
    began_at: Timestamp,
    /// Received, and not come to yet.
    waiting: Vec<Message>,
    /// The receipt handles of what was received and is still there, by the messages' ids.
    taken: HashMap<String, String>,
    found: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn begin(letters: &'a DeadLetters) -> Self {
        let (began_at, waiting, taken) = (Timestamp::now(), vec![], HashMap::new());
        Self { letters, began_at, waiting, taken, found: false }
    }

    /// The next message, whichever it is.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, DeadLetterError> {
        let mut repeats = 0;
        while self.waiting.is_empty() && repeats < MOST_REPEATS {
            let received = self.letters.queue.receive(limits::SQS_BATCH, WAIT, LOOK).await?;
            if received.is_empty() {
                break;
            }
            repeats += 1;
            for message in received {
                let handle = message.receipt_handle.clone();
                // SQS may hand a message out twice. That says nothing about the others.
                if self.taken.insert(message.message_id.clone(), handle).is_none() {
                    self.waiting.push(message);
                }
            }
        }
        Ok(self.waiting.pop())
    }

    /// The next message of the selection. What came after the beginning, a redriven message that failed again among it,
    /// is not meant by all.
    pub(super) async fn next_of(
        &mut self,
        selection: Selection<'_>,
    ) -> Result<Option<Message>, DeadLetterError> {
        while !self.found
            && let Some(message) = self.next().await?
        {
            let is_meant = match selection {
                Selection::All => message.sent_at <= self.began_at,
                Selection::One(id) => message.message_id == id,
            };
            if is_meant {
                self.found = matches!(selection, Selection::One(_));
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Deletes a message that it came to.
    pub(super) async fn delete(&mut self, message: &Message) -> Result<(), DeadLetterError> {
        let handles = std::slice::from_ref(&message.receipt_handle);
        for result in self.letters.queue.delete_batch(handles).await? {
            result?;
        }
        self.taken.remove(&message.message_id);
        Ok(())
    }

    /// Shows the others again.
    pub(super) async fn end(self) -> Result<(), DeadLetterError> {
        let handles: Vec<String> = self.taken.into_values().collect();
        for batch in handles.chunks(limits::SQS_BATCH) {
            let changes: Vec<_> = batch.iter().map(|handle| (handle.clone(), Duration::ZERO)).collect();
            self.letters.queue.change_visibility_batch(&changes).await?;
        }
        Ok(())
    }
}
