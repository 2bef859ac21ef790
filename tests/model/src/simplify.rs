//! Makes states equal that differ only in what can't matter any more, so that the checker visits them once.

use crate::bucket::{Cancellation, Etag};
use crate::queue::{MessageIndex, Visibility};
use crate::state::{AttemptHistory, Delivery, State, Step};

/// Stands for every ETag but the present one.
const OLD: Etag = Etag::MAX;

impl State {
    /// Forgets what is past, and puts what is alike into one order. A worker, a message or an execution has
    /// another index then.
    pub fn simplify(&mut self) {
        self.forget_old_etags();
        self.workers.iter_mut().flatten().for_each(forget_history);
        self.sort_executions();
        self.sort_messages();
        self.workers.sort_unstable();
    }

    /// An ETag that is not the present one never will be again.
    fn forget_old_etags(&mut self) {
        let forget = |known: &mut Etag, present: Etag| {
            if *known != present {
                *known = OLD;
            }
        };
        for delivery in self.workers.iter_mut().flatten() {
            let present = self.executions[self.messages[delivery.message].execution].etag;
            match &mut delivery.step {
                Step::Run { known }
                | Step::StoreResult { known }
                | Step::DeadLetter { known }
                | Step::WriteRecord { known, .. } => forget(known, present),
                _ => {}
            }
        }
        for execution in &mut self.executions {
            if let Cancellation::Looked(known) = &mut execution.cancellation {
                forget(known, execution.etag);
            }
        }
    }

    fn sort_executions(&mut self) {
        let mut order: Vec<usize> = (0..self.executions.len()).collect();
        order.sort_by_key(|index| self.executions[*index]);
        self.executions = order.iter().map(|index| self.executions[*index]).collect();
        for message in &mut self.messages {
            let place = order.iter().position(|index| *index == message.execution);
            message.execution = place.unwrap_or(message.execution);
        }
    }

    /// Drops deleted messages that no worker holds, and sorts the others.
    fn sort_messages(&mut self) {
        let is_held = |index: MessageIndex| self.deliveries().any(|delivery| delivery.message == index);
        let is_of_use =
            |index: &MessageIndex| self.messages[*index].visibility != Visibility::Deleted || is_held(*index);
        let mut order: Vec<MessageIndex> = (0..self.messages.len()).filter(is_of_use).collect();
        order.sort_by_key(|index| self.messages[*index]);
        self.messages = order.iter().map(|index| self.messages[*index]).collect();
        for delivery in self.workers.iter_mut().flatten() {
            let place = order.iter().position(|index| *index == delivery.message);
            delivery.message = place.unwrap_or(delivery.message);
        }
    }
}

/// What a worker knows of earlier attempts is of no use once the message is not given back any more, or is already.
fn forget_history(delivery: &mut Delivery) {
    if matches!(
        delivery.step,
        Step::CleanUp { .. } | Step::List | Step::SendCopy(_) | Step::Release | Step::Delete { .. }
    ) {
        (delivery.history, delivery.losses, delivery.was_final) = (AttemptHistory::default(), 0, false);
    }
}
