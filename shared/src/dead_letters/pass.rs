//! Going through dead letters.

use super::{DeadLetterError, DeadLetters, LOOK, Selection, WAIT};
use crate::limits;
use crate::queue::Message;
use crate::timestamp::Timestamp;

/// A walk over the messages that are there when it begins; what comes later, a redriven message that failed again
/// among them, is left alone.
pub(super) struct Pass<'a> {
    letters: &'a DeadLetters,
    selection: Selection<'a>,
    began_at: Timestamp,
    waiting: Vec<Message>,
    left: Vec<Message>,
    found: bool,
}

impl<'a> Pass<'a> {
    pub(super) fn begin(letters: &'a DeadLetters, selection: Selection<'a>) -> Self {
        let began_at = Timestamp::now();
        Self { letters, selection, began_at, waiting: vec![], left: vec![], found: false }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Message>, DeadLetterError> {
        loop {
            if self.found {
                return Ok(None);
            }
            while let Some(message) = self.waiting.pop() {
                if self.is_meant(&message) {
                    self.found = matches!(self.selection, Selection::One(_));
                    return Ok(Some(message));
                }
                self.left.push(message);
            }
            self.waiting = self.letters.queue.receive(limits::SQS_BATCH, WAIT, LOOK).await?;
            let seen = |message: &Message| self.left.iter().any(|left| left.message_id == message.message_id);
            if self.waiting.iter().all(seen) {
                return Ok(None);
            }
        }
    }

    fn is_meant(&self, message: &Message) -> bool {
        match self.selection {
            Selection::All => message.sent_at <= self.began_at,
            Selection::One(id) => message.message_id == id,
        }
    }

    pub(super) fn leave(&mut self, message: Message) {
        self.left.push(message);
    }

    /// Shows the others again.
    pub(super) async fn end(mut self) -> Result<(), DeadLetterError> {
        self.left.append(&mut self.waiting);
        self.letters.release(&self.left).await
    }
}
