//! What must hold in every state, and what must happen in some, so that the model is not empty.

use stateright::Property;

use crate::Protocol;
use crate::actions::add_steps;
use crate::bucket::{Execution, Record};
use crate::queue::Visibility;
use crate::state::{State, Step};

/// No message is deleted unless its execution has its final record, or a copy is on the queue.
pub const NOTHING_IS_LOST: &str = "an execution without a final record has a message on the queue";
/// Nobody replaces a final record.
pub const FINAL_RECORD_STAYS: &str = "a final record never changes";
/// Nobody deletes a result that a final record names.
pub const NAMED_RESULT_EXISTS: &str = "the result that a final record names exists";
/// No message is deleted before its execution is listed.
pub const FINISHED_IS_LISTED: &str = "a finished execution is listed, or has a message on the queue";
/// What was cancelled, or ended otherwise, before its record was looked at does not run.
pub const FINAL_IS_NOT_RUN: &str = "what was final when it was looked at does not run";
/// An outage or a drain costs no attempt.
pub const NO_LOSS_IS_MADE_UP: &str = "no more attempts count as lost than got lost";
/// No execution is given up before its time.
pub const NOT_GIVEN_UP_EARLY: &str =
    "an execution is given up only after the most attempts that may get lost";
/// No execution is tried for ever.
pub const GIVEN_UP_IN_TIME: &str = "after the most attempts that may get lost, nothing runs";
/// What is given up can be redriven.
pub const GIVEN_UP_IS_DEAD_LETTERED: &str = "what is given up is on the dead-letter queue";
/// Where nothing more goes wrong, every execution ends.
///
/// The property looks at states in which no step is left. Every path comes to such a state, since the graph has no
/// cycle, which a test shows.
pub const ALL_END: &str =
    "where no step is left, every execution has its final record and the queue is empty";

/// All properties.
pub fn all() -> Vec<Property<Protocol>> {
    [of_executions(), of_attempts(), examples()].into_iter().flatten().collect()
}

/// What must hold of executions in every state.
fn of_executions() -> Vec<Property<Protocol>> {
    vec![
        Property::always(NOTHING_IS_LOST, |_, state: &State| {
            state
                .executions
                .iter()
                .enumerate()
                .all(|(index, execution)| execution.is_final() || has_message(state, index))
        }),
        Property::always(FINAL_RECORD_STAYS, |_, state: &State| {
            state.executions.iter().all(|execution| !execution.was_rewritten)
        }),
        Property::always(NAMED_RESULT_EXISTS, |_, state: &State| {
            state.executions.iter().all(|execution| {
                let named = execution.record.and_then(Record::result);
                named.is_none_or(|key| execution.results.contains(key))
            })
        }),
        Property::always(FINISHED_IS_LISTED, |_, state: &State| {
            state.executions.iter().enumerate().all(|(index, execution)| {
                !execution.is_final() || execution.is_listed || has_message(state, index)
            })
        }),
        Property::always(GIVEN_UP_IS_DEAD_LETTERED, |_, state: &State| {
            let is_safe = |execution: &Execution| {
                execution.record != Some(Record::WorkerLost) || execution.dead_lettered
            };
            state.executions.iter().all(is_safe)
        }),
        Property::always(ALL_END, |_, state: &State| {
            let mut steps = vec![];
            add_steps(state, &mut steps);
            !steps.is_empty()
                || (state.messages.is_empty() && state.executions.iter().all(Execution::is_final))
        }),
    ]
}

/// What must hold of attempts in every state.
fn of_attempts() -> Vec<Property<Protocol>> {
    vec![
        Property::always(FINAL_IS_NOT_RUN, |_, state: &State| {
            state.deliveries().all(|delivery| !(delivery.was_final && delivery.has_begun()))
        }),
        Property::always(NO_LOSS_IS_MADE_UP, |_, state: &State| {
            state.deliveries().all(|delivery| delivery.history.lost <= delivery.losses)
        }),
        Property::always(NOT_GIVEN_UP_EARLY, |protocol: &Protocol, state: &State| {
            let most = protocol.bounds.max_attempts;
            state.deliveries().all(|delivery| !delivery.gives_up() || delivery.losses >= most)
        }),
        Property::always(GIVEN_UP_IN_TIME, |protocol: &Protocol, state: &State| {
            let most = protocol.bounds.max_attempts;
            state.deliveries().all(|delivery| !delivery.has_begun() || delivery.losses < most)
        }),
    ]
}

/// What must happen in some state: every final record, and each race that the promises are about. They need the faults
/// of [`Bounds::ONE`](crate::Bounds::ONE).
fn examples() -> Vec<Property<Protocol>> {
    vec![
        Property::sometimes("an execution succeeds", |_, state: &State| {
            has_record(state, |record| record.result().is_some())
        }),
        Property::sometimes("an execution fails", |_, state: &State| {
            has_record(state, |record| record == Record::Failed)
        }),
        Property::sometimes("an execution is cancelled while it runs", |_, state: &State| {
            has_record(state, |record| record == Record::Cancelled)
                && state.deliveries().any(|delivery| delivery.has_begun() && !delivery.was_final)
        }),
        Property::sometimes("an execution is given up", |_, state: &State| {
            has_record(state, |record| record == Record::WorkerLost)
        }),
        Property::sometimes("a result beside the usual one is named", |_, state: &State| {
            has_record(state, |record| record.result().is_some_and(|key| key > 0))
        }),
        Property::sometimes(
            "a write of a record is refused for one that is not final",
            |_, state: &State| {
                state.executions.iter().any(|execution| !execution.is_final())
                    && state.deliveries().any(|delivery| matches!(delivery.step, Step::ReadRecord { .. }))
            },
        ),
        Property::sometimes("two workers run the same execution", |_, state: &State| {
            let mut begun = state.deliveries().filter(|delivery| delivery.has_begun());
            let (one, other) = (begun.next(), begun.next());
            one.zip(other).is_some_and(|(one, other)| {
                state.messages[one.message].execution == state.messages[other.message].execution
            })
        }),
    ]
}

fn has_message(state: &State, execution: usize) -> bool {
    let is_there = |visibility| visibility != Visibility::Deleted;
    state.messages.iter().any(|message| message.execution == execution && is_there(message.visibility))
}

fn has_record(state: &State, is_meant: impl Fn(Record) -> bool) -> bool {
    state.executions.iter().filter_map(|execution| execution.record).any(is_meant)
}
