//! What the tasks do with the messages: an execution for each, or a chunk of a map.

pub mod chunks;
pub mod durations;
pub mod executions;

use rand::Rng;

use self::chunks::Chunks;
use self::executions::Executions;
use crate::Second;
use crate::loads::Load;
use crate::queue::Queue;

/// What runs.
pub enum Work {
    /// A load of executions.
    Executions(Executions),
    /// A load of maps.
    Chunks(Chunks),
}

impl Work {
    /// None yet; each task has so many slots.
    pub fn of(load: &Load, slots: u64) -> Self {
        match load.map {
            None => Self::Executions(Executions::new(load.mean_seconds, slots)),
            Some(map) => Self::Chunks(Chunks::new(map, load.mean_seconds, slots)),
        }
    }

    /// One second: what has run its time ends, and so many tasks take what has waited longest.
    pub fn serve(&mut self, queue: &mut Queue, now: Second, tasks: u64, random: &mut impl Rng) {
        match self {
            Self::Executions(executions) => executions.serve(queue, now, tasks, random),
            Self::Chunks(chunks) => chunks.serve(queue, now, tasks, random),
        }
    }

    /// So many of so many tasks take no more. Returns for how long the longest of what they run goes on.
    pub fn stop(&mut self, tasks: u64, of: u64, random: &mut impl Rng) -> Second {
        match self {
            Self::Executions(executions) => executions.stop(tasks, of, random),
            Self::Chunks(chunks) => chunks.stop(tasks, of, random),
        }
    }

    /// Of so many messages that wait, those that SQS shows as waiting, and how many are in flight.
    pub fn visible_and_in_flight(&self, waiting: u64, random: &mut impl Rng) -> (u64, u64) {
        match self {
            Self::Executions(executions) => (waiting, executions.running(random)),
            Self::Chunks(chunks) => {
                let held = chunks.held(waiting);
                (waiting - held, chunks.running() + held)
            }
        }
    }

    /// Messages that are done with.
    pub fn done(&self) -> u64 {
        match self {
            Self::Executions(executions) => executions.done(),
            Self::Chunks(chunks) => chunks.done(),
        }
    }
}
