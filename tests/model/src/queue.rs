//! The queue, as SQS behaves: a message that was received is invisible until its lease runs out or it is deleted, and is
//! delivered again then.

use crate::state::{AttemptHistory, Copied, Delivery, State, Step};

/// A message's place in [`State::messages`].
pub type MessageIndex = usize;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    /// The execution that it asks for.
    pub execution: usize,
    /// The history that it carries.
    pub carried: AttemptHistory,
    /// How often it was received.
    pub receive_count: u8,
    /// Where it is.
    pub visibility: Visibility,
    /// How many attempts got lost in truth: those before it was sent, and each return of it to the queue.
    pub losses: u8,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Visibility {
    /// Any worker may receive it.
    Visible,
    /// It was received, and its lease has not run out.
    InFlight,
    /// It is no longer on the queue.
    Deleted,
}

impl Message {
    /// The message that the API sends for an execution.
    pub fn first(execution: usize) -> Self {
        let (carried, visibility) = (AttemptHistory::default(), Visibility::Visible);
        Self { execution, carried, receive_count: 0, visibility, losses: 0 }
    }
}

impl State {
    /// Delivers a message. Each receive before was an attempt that got lost. `cap` is the most that the carried number
    /// of lost attempts may be.
    pub fn receive(&mut self, index: MessageIndex, cap: u8) -> Delivery {
        let message = &mut self.messages[index];
        message.visibility = Visibility::InFlight;
        message.receive_count += 1;
        let lost = message.carried.lost.min(cap) + message.receive_count - 1;
        Delivery {
            message: index,
            receipt_handle: message.receive_count,
            history: AttemptHistory { lost, ..message.carried },
            losses: message.losses,
            was_final: false,
            step: Step::Claim,
        }
    }

    /// Makes a message in flight visible again, as the end of its lease and a release do. Whoever held it is lost, as
    /// far as the queue can tell.
    pub fn make_visible(&mut self, index: MessageIndex) {
        let message = &mut self.messages[index];
        if message.visibility == Visibility::InFlight {
            message.visibility = Visibility::Visible;
            message.losses += 1;
        }
    }

    /// Sends a copy of a delivery's message.
    pub fn send_copy(&mut self, delivery: &Delivery, copied: Copied) {
        let execution = self.messages[delivery.message].execution;
        let Copied { history, losses } = copied;
        self.messages.push(Message { carried: history, losses, ..Message::first(execution) });
    }

    /// Deletes a delivery's message.
    pub fn delete(&mut self, delivery: &Delivery) {
        self.messages[delivery.message].visibility = Visibility::Deleted;
    }

    /// Whether the message was received again since.
    pub fn handle_is_old(&self, delivery: &Delivery) -> bool {
        self.messages[delivery.message].receive_count > delivery.receipt_handle
    }

    /// Whether a worker has the message's newest receipt handle.
    pub fn is_held(&self, index: MessageIndex) -> bool {
        self.deliveries().any(|delivery| delivery.message == index && !self.handle_is_old(delivery))
    }
}
