//! A model of how a message becomes one final record. The model checker `stateright` goes through every order of
//! events, up to the [`Bounds`], and looks in every state whether what Bad Lambda promises holds.
//!
//! A small example of what it looks for: a worker that deletes a message before it has sent the copy, and crashes in
//! between, loses the execution. A test sees that only with luck. The checker sees all orders.
//!
//! # What is modelled
//!
//! - The queue ([`queue`]): a message is delivered again when its lease runs out, also while a stopped worker still
//!   holds it. Copies carry the history of attempts. A delete with an old receipt handle may do nothing.
//! - The bucket ([`bucket`]): the record is written conditionally, and a final one stays. Each attempt stores its
//!   result under the usual key, or beside it.
//! - The workers ([`worker`]): claim, run, publish and settle, in the order of the worker's code. Each call to SQS or
//!   S3 is one action, so that a crash can come between any two.
//! - The API's cancellation: it reads the record and then writes a final one, also conditionally.
//! - Faults ([`Action`] names them): crashes, leases that run out too early, an S3 that does not answer or whose answer
//!   gets lost, a drain, attempts that get no outcome, copies that SQS does not accept.
//!
//! Workers, messages and executions that are alike are put into one order after each event ([`simplify`]). So in a
//! counterexample an index is good for one event only.
//!
//! A call without effect on others is merged with the next one: it makes no difference when a crash comes in between.
//! A delete that SQS does not carry out is the same as a crash before the delete. A message that is made visible again,
//! since SQS did not accept its copy, counts as a lost attempt: its history can't say otherwise.
//!
//! # What is left out
//!
//! Time and delays, logs, the index, batches, idempotency keys, the retention of the queue, and SQS's own
//! `maxReceiveCount`. A message that can't be read, or is too large to be copied, is left out, too.
//!
//! # Bounds
//!
//! Two workers. [`Bounds::ONE`] is one execution with at most two faults of any kind; [`Bounds::TWO`] is two executions
//! with at most one, and [`Bounds::LONG`] is one execution with at most three. A lost attempt costs a fault, and two make
//! `worker_lost`. A failed attempt is tried again once (with two executions: never), and each execution may be cancelled
//! once, at any time; neither costs a fault. The first two take seconds. The third takes about a minute, so that its test
//! runs only when asked for: `cargo test -p badlambda-model -- --ignored`.
//!
//! # How it is known that the checker finds something
//!
//! Each [`Bug`] breaks the protocol in one place. The tests expect a counterexample for each.

#![forbid(unsafe_code)]

pub mod actions;
pub mod bucket;
pub mod properties;
pub mod queue;
pub mod simplify;
pub mod state;
pub mod worker;

use stateright::{Model, Property};

use crate::actions::Action;
use crate::state::State;

/// How far the checker goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Messages on the queue at the beginning, each for its own execution.
    pub executions: usize,
    /// Faults in all, of any kind.
    pub faults: u8,
    /// How many attempts may get lost before an execution is given up.
    pub max_attempts: u8,
    /// How often a failed attempt is tried again.
    pub retries: u8,
}

impl Bounds {
    /// One execution and some faults.
    pub const ONE: Self = Self { executions: 1, faults: 2, max_attempts: 2, retries: 1 };
    /// Two executions and one fault.
    pub const TWO: Self = Self { executions: 2, faults: 1, max_attempts: 2, retries: 0 };
    /// One execution and more faults.
    pub const LONG: Self = Self { faults: 3, ..Self::ONE };
}

/// An error that is put into the protocol on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The protocol as it should be.
    None,
    /// A message that is given back is deleted before its copy is sent.
    DeleteBeforeCopy,
    /// A worker writes the final record without a condition.
    UnconditionalRecord,
    /// A worker whose record was refused deletes the result it has stored, even if the record that is there names it.
    LoserDeletesWinnersResult,
    /// A worker runs a message without a look at its record.
    ClaimWithoutRecord,
    /// A message that finds the final record is deleted without its execution being listed.
    ReturnedIsNotListed,
    /// A message that is given back because S3 does not answer counts as a lost attempt.
    OutageCountsAsLost,
    /// The number of lost attempts in a copy is cut to one less than the limit. So an attempt whose worker lives to
    /// report the loss never reaches the limit.
    CarriedLossesAreCapped,
    /// The final record `worker_lost` is written before the message is on the dead-letter queue.
    RecordBeforeDeadLetter,
}

/// The protocol, as the checker takes it.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// How far to go.
    pub bounds: Bounds,
    /// What is wrong with it.
    pub bug: Bug,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::submitted(self.bounds)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions::add_steps(state, actions);
        actions::add_cancellations(state, actions);
        if state.faults > 0 {
            actions::add_faults(state, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.apply(action, &mut next);
        next.simplify();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
