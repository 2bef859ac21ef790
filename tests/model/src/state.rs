//! What the queue, the bucket and the workers are in at one moment.

use crate::Bounds;
use crate::bucket::{Etag, Execution, Keys, Record};
use crate::queue::{Message, MessageIndex};

/// How many workers there are.
pub const WORKERS: usize = 2;

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The messages on the queue, and deleted ones that a worker still holds.
    pub messages: Vec<Message>,
    /// What the bucket holds of each execution.
    pub executions: Vec<Execution>,
    /// What each worker does. A crashed one is followed by a new one, which does nothing yet.
    pub workers: [Option<Delivery>; WORKERS],
    /// How many faults may still come.
    pub faults: u8,
}

/// The attempts before the present one, as the message tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptHistory {
    /// Attempts without an outcome.
    pub lost: u8,
    /// Attempts that failed.
    pub failed: u8,
}

/// One receive of a message by a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Delivery {
    /// Which message.
    pub message: MessageIndex,
    /// The message's receive count at this receive. A higher one on the queue makes the handle an old one.
    pub receipt_handle: u8,
    /// What the worker knows of earlier attempts.
    pub history: AttemptHistory,
    /// How many earlier attempts got lost in truth. No worker sees this; the properties compare it.
    pub losses: u8,
    /// Whether the execution had its final record when this delivery looked for it. No worker sees this.
    pub was_final: bool,
    /// What comes next.
    pub step: Step,
}

/// The next step of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Look at the record.
    Claim,
    /// Come to the end of the attempt.
    Run {
        /// The record's ETag as it was last seen.
        known: Etag,
    },
    /// Store the result.
    StoreResult {
        /// As above.
        known: Etag,
    },
    /// Copy the message to the dead-letter queue.
    DeadLetter {
        /// As above.
        known: Etag,
    },
    /// Write the final record, if nobody has changed it since.
    WriteRecord {
        /// What is to be written.
        record: Record,
        /// As above.
        known: Etag,
    },
    /// Read the record that stood in the way.
    ReadRecord {
        /// What was to be written.
        record: Record,
    },
    /// Delete results that no record names.
    CleanUp {
        /// Which.
        superfluous: Keys,
    },
    /// Store its line in the index.
    List,
    /// Send a copy of the message.
    SendCopy(Copied),
    /// Make the message visible again, since SQS did not accept its copy.
    Release,
    /// Delete the message.
    Delete {
        /// A copy that is sent only after the delete, which is an error put in on purpose.
        copy_after: Option<Copied>,
    },
}

/// What a copy of a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Copied {
    /// The history with the attempt that is given back.
    pub history: AttemptHistory,
    /// How many attempts got lost in truth.
    pub losses: u8,
}

impl State {
    /// All executions are accepted, each with its message on the queue.
    pub fn submitted(bounds: Bounds) -> Self {
        Self {
            messages: (0..bounds.executions).map(Message::first).collect(),
            executions: vec![Execution::default(); bounds.executions],
            workers: [None; WORKERS],
            faults: bounds.faults,
        }
    }

    /// The execution that a delivery is for.
    pub fn execution_of(&mut self, delivery: &Delivery) -> &mut Execution {
        &mut self.executions[self.messages[delivery.message].execution]
    }

    /// The deliveries under way.
    pub fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.workers.iter().flatten()
    }
}

impl Delivery {
    /// Whether the attempt has begun to run.
    pub fn has_begun(&self) -> bool {
        matches!(self.step, Step::Run { .. } | Step::StoreResult { .. })
    }

    /// Whether the execution is being given up.
    pub fn gives_up(&self) -> bool {
        matches!(
            self.step,
            Step::DeadLetter { .. }
                | Step::WriteRecord { record: Record::WorkerLost, .. }
                | Step::ReadRecord { record: Record::WorkerLost }
        )
    }
}
