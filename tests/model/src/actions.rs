//! What can happen next. A step is what the protocol does by itself, and happens sooner or later. A fault and a
//! cancellation may happen or not.

use crate::bucket::{Cancellation, USUAL};
use crate::queue::{MessageIndex, Visibility};
use crate::state::{AttemptHistory, Delivery, State, Step, WORKERS};

/// A worker's place in [`State::workers`].
pub type WorkerIndex = usize;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A worker receives a message.
    Receive(WorkerIndex, MessageIndex),
    /// A worker goes on with its delivery.
    Advance(WorkerIndex, Advance),
    /// The lease of a message runs out. This is a fault where a worker holds the message: the worker was stopped for too
    /// long, or SQS delivers the message twice.
    EndLease(MessageIndex),
    /// The API makes its next call for a cancellation.
    Cancel(usize),
    /// Something goes wrong with a worker.
    Fail(WorkerIndex, Fault),
}

/// A step of a delivery, and how it comes out where that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The worker looks at the record.
    Claim,
    /// The worker begins without a look at the record: it is the first attempt of a function that can have no effect but
    /// its outcome.
    BeginUnseen,
    /// The attempt ends with a result.
    Succeed,
    /// The function fails.
    FailToRun,
    /// The worker looks at the record of what runs, and it is final.
    SeeFinalRecord,
    /// The worker stores the result. It may have the same bytes as what is there.
    StoreResult {
        /// Whether it has.
        has_same_bytes: bool,
    },
    /// The worker copies the message to the dead-letter queue.
    DeadLetter,
    /// The worker writes the final record, or is refused.
    WriteRecord,
    /// The worker reads the record that stood in the way.
    ReadRecord,
    /// The worker deletes one result that no record names.
    CleanUp,
    /// The worker lists the execution.
    List,
    /// The worker sends a copy of the message.
    SendCopy,
    /// The worker makes the message visible again.
    Release,
    /// The worker deletes the message. SQS may ignore an old receipt handle.
    Delete {
        /// Whether it ignores it.
        is_ignored: bool,
    },
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The worker is gone, and a new one takes its place.
    Crash,
    /// S3 has not answered for so long that the worker gives the message back.
    StoreDown,
    /// S3 has written the record, but its answer gets lost, and the worker tries again.
    AnswerLost,
    /// The worker stops, and gives back what it runs.
    Drain,
    /// The attempt gets no outcome, and the worker lives to say so.
    AttemptLost,
    /// The attempt takes so long that it is recorded as running. No failure, but it counts as a fault for the bounds.
    RecordRunning,
    /// SQS answers that it has not accepted a copy.
    CopyRefused {
        /// It has accepted it all the same.
        arrives: bool,
    },
}

/// Adds what the protocol does next by itself.
pub fn add_steps(state: &State, actions: &mut Vec<Action>) {
    for (index, message) in state.messages.iter().enumerate() {
        match message.visibility {
            Visibility::Visible => {
                let idle = (0..WORKERS).find(|worker| state.workers[*worker].is_none());
                // Idle workers are all alike.
                actions.extend(idle.map(|worker| Action::Receive(worker, index)));
            }
            Visibility::InFlight if !state.is_held(index) => actions.push(Action::EndLease(index)),
            Visibility::InFlight | Visibility::Deleted => {}
        }
    }
    for (worker, delivery) in state.workers.iter().enumerate() {
        if let Some(delivery) = delivery {
            let advances = advances(state, delivery);
            actions.extend(advances.into_iter().map(|advance| Action::Advance(worker, advance)));
        }
    }
}

/// Adds the API's calls.
pub fn add_cancellations(state: &State, actions: &mut Vec<Action>) {
    for (index, execution) in state.executions.iter().enumerate() {
        if execution.cancellation != Cancellation::Answered {
            actions.push(Action::Cancel(index));
        }
    }
}

/// Adds what may go wrong.
pub fn add_faults(state: &State, actions: &mut Vec<Action>) {
    for (index, message) in state.messages.iter().enumerate() {
        if message.visibility == Visibility::InFlight && state.is_held(index) {
            actions.push(Action::EndLease(index));
        }
    }
    for (worker, delivery) in state.workers.iter().enumerate() {
        if let Some(delivery) = delivery {
            actions.push(Action::Fail(worker, Fault::Crash));
            actions.extend(faults(&delivery.step).iter().map(|fault| Action::Fail(worker, *fault)));
        }
    }
}

fn advances(state: &State, delivery: &Delivery) -> Vec<Advance> {
    let execution = &state.executions[state.messages[delivery.message].execution];
    match delivery.step {
        Step::Claim if delivery.history == AttemptHistory::default() => {
            vec![Advance::Claim, Advance::BeginUnseen]
        }
        Step::Claim => vec![Advance::Claim],
        Step::Run { .. } if execution.is_final() => {
            vec![Advance::Succeed, Advance::FailToRun, Advance::SeeFinalRecord]
        }
        Step::Run { .. } => vec![Advance::Succeed, Advance::FailToRun],
        Step::StoreResult { .. } if execution.results.contains(USUAL) => {
            [true, false].map(|has_same_bytes| Advance::StoreResult { has_same_bytes }).to_vec()
        }
        Step::StoreResult { .. } => vec![Advance::StoreResult { has_same_bytes: false }],
        Step::DeadLetter { .. } => vec![Advance::DeadLetter],
        Step::WriteRecord { .. } => vec![Advance::WriteRecord],
        Step::ReadRecord { .. } => vec![Advance::ReadRecord],
        Step::CleanUp { .. } => vec![Advance::CleanUp],
        Step::List => vec![Advance::List],
        Step::SendCopy(_) => vec![Advance::SendCopy],
        Step::Release => vec![Advance::Release],
        Step::Delete { .. } if state.handle_is_old(delivery) => {
            [true, false].map(|is_ignored| Advance::Delete { is_ignored }).to_vec()
        }
        Step::Delete { .. } => vec![Advance::Delete { is_ignored: false }],
    }
}

/// What may go wrong at a step, beside a crash.
fn faults(step: &Step) -> &'static [Fault] {
    match step {
        Step::Claim
        | Step::StoreResult { .. }
        | Step::DeadLetter { .. }
        | Step::ReadRecord { .. }
        | Step::List => &[Fault::StoreDown],
        Step::WriteRecord { .. } => &[Fault::StoreDown, Fault::AnswerLost],
        Step::Run { .. } => &[Fault::Drain, Fault::AttemptLost, Fault::RecordRunning],
        Step::SendCopy(_) => &[Fault::CopyRefused { arrives: false }, Fault::CopyRefused { arrives: true }],
        Step::CleanUp { .. } | Step::Release | Step::Delete { .. } => &[],
    }
}
