//! What came of a run.

use serde_json::{Value, json};

use crate::Second;

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Messages that were sent.
    pub sent: u64,
    /// Messages whose execution, or chunk of a map, ended.
    pub done: u64,
    /// Executions that ended, or items of maps.
    pub executions: u64,
    /// How many messages waited so many seconds before what they ask for began.
    pub waits: Vec<u64>,
    /// The longest stretch in which some message had waited for more than a minute.
    pub late_seconds: Second,
    /// Most tasks that ran or started at once.
    pub most_tasks: u64,
    /// Tasks times hours, from launch to end.
    pub task_hours: f64,
    /// What they cost.
    pub dollars: f64,
    /// What a million executions cost.
    pub dollars_per_million: f64,
    /// Changes of direction, from more tasks to fewer or back.
    pub turns: usize,
    /// From the last message until the fleet was at its minimum.
    pub idle_after: Second,
    /// When the run ended.
    pub length: Second,
    /// Every change of the number of tasks.
    pub changes: Vec<Change>,
    /// Every minute.
    pub minutes: Vec<Minute>,
}

/// Changes of direction, from more tasks to fewer or back.
pub fn turns(changes: &[Change]) -> usize {
    let is_out = |change: &Change| change.to > change.from;
    changes.windows(2).filter(|pair| is_out(&pair[0]) != is_out(&pair[1])).count()
}

/// A change of the number of tasks that there should be.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Change {
    pub at: Second,
    pub from: u64,
    pub to: u64,
    /// The policy's logical id.
    pub policy: String,
}

/// A minute's sample.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Minute {
    pub at: Second,
    pub visible: u64,
    pub in_flight: u64,
    pub running: u64,
    pub desired: u64,
    pub oldest: Second,
}

impl Outcome {
    /// What came of several runs of one load: waits of all, the most of what has a most, and the mean of the costs.
    /// Changes and minutes are those of the first.
    pub fn of_all(runs: Vec<Self>) -> Self {
        let count = runs.len() as f64;
        let mut all = Self::default();
        for run in runs {
            all.waits.resize(all.waits.len().max(run.waits.len()), 0);
            all.waits.iter_mut().zip(&run.waits).for_each(|(sum, messages)| *sum += messages);
            all.sent += run.sent;
            all.done += run.done;
            all.executions += run.executions;
            all.late_seconds = all.late_seconds.max(run.late_seconds);
            all.most_tasks = all.most_tasks.max(run.most_tasks);
            all.task_hours += run.task_hours / count;
            all.dollars += run.dollars / count;
            all.dollars_per_million += run.dollars_per_million / count;
            all.idle_after = all.idle_after.max(run.idle_after);
            all.turns = all.turns.max(run.turns);
            if all.minutes.is_empty() {
                (all.length, all.changes, all.minutes) = (run.length, run.changes, run.minutes);
            }
        }
        all
    }

    /// The wait that so large a share of the messages did not exceed, in seconds.
    pub fn wait(&self, share: f64) -> Second {
        let all: u64 = self.waits.iter().sum();
        let mut left = (all as f64 * share).ceil() as u64;
        for (wait, messages) in self.waits.iter().enumerate() {
            left = left.saturating_sub(*messages);
            if left == 0 {
                return wait as Second;
            }
        }
        0
    }

    /// When so many tasks ran for the first time.
    pub fn reached(&self, tasks: u64) -> Option<Second> {
        self.minutes.iter().find(|minute| minute.running >= tasks).map(|minute| minute.at)
    }

    /// The figures, by name.
    pub fn to_json(&self) -> Value {
        json!({
            "executions": self.executions,
            "messages": self.done,
            "lost": self.sent - self.done,
            "wait_seconds": {"p50": self.wait(0.5), "p99": self.wait(0.99), "max": self.wait(1.0)},
            "late_seconds": self.late_seconds,
            "most_tasks": self.most_tasks,
            "task_hours": self.task_hours,
            "dollars": self.dollars,
            "dollars_per_million": self.dollars_per_million,
            "idle_after_seconds": self.idle_after,
            "turns": self.turns,
        })
    }
}
