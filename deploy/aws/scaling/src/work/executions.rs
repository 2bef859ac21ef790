//! Slots that run an execution for each message. Durations are drawn one by one where few begin in a second, and taken in
//! their exact shares where many do.

use std::collections::VecDeque;

use rand::Rng;

use super::durations::{CLASSES, Durations, LONGEST};
use crate::Second;
use crate::queue::Queue;

/// From so many on, executions are begun by shares.
const MANY: u64 = 200;

/// Executions that run.
pub struct Executions {
    durations: Durations,
    /// The share of a second that an execution uses of the second it begins in, on average.
    mean_use: f64,
    slots: u64,
    /// Executions on tasks that go on, and on tasks that are stopping, by the second they end in.
    ends: VecDeque<Ending>,
    running: Ending,
    /// Slots that were in use in the last second by executions of less than a second.
    short: f64,
    done: u64,
}

#[derive(Clone, Copy, Default)]
struct Ending {
    active: u64,
    stopping: u64,
}

impl Executions {
    /// None run yet; each task has so many slots.
    pub fn new(mean_seconds: f64, slots: u64) -> Self {
        let durations = Durations::around(mean_seconds);
        let mean_use = durations.mean_of_first_second();
        let ends = std::iter::repeat_n(Ending::default(), LONGEST as usize + 2).collect();
        Self { durations, mean_use, slots, ends, running: Ending::default(), short: 0.0, done: 0 }
    }

    /// One second: what has run its time ends, and the free slots of so many tasks take what has waited longest.
    pub fn serve(&mut self, queue: &mut Queue, now: Second, tasks: u64, random: &mut impl Rng) {
        let ended = self.ends.pop_front().unwrap_or_default();
        self.ends.push_back(Ending::default());
        self.running.active -= ended.active;
        self.running.stopping -= ended.stopping;
        self.done += ended.active + ended.stopping;
        let mut free = (tasks * self.slots).saturating_sub(self.running.active) as f64;
        self.short = 0.0;
        let many = ((free / self.mean_use) as u64).min(queue.messages());
        if many >= MANY {
            for class in 0..CLASSES {
                let share = rounded(many as f64 / CLASSES as f64, random);
                self.begin(class, queue.take(share, now), random);
            }
            return;
        }
        while free > 0.0 && queue.messages() > 0 {
            let class = random.random_range(0..CLASSES);
            self.begin(class, queue.take(1, now), random);
            free -= self.durations.of(class).min(1.0);
        }
    }

    /// So many of so many tasks take no more. Returns for how long the longest of their executions goes on.
    pub fn stop(&mut self, tasks: u64, of: u64, random: &mut impl Rng) -> Second {
        let mut longest = 0;
        for (seconds, ending) in self.ends.iter_mut().enumerate() {
            let moved = rounded(ending.active as f64 * tasks as f64 / of as f64, random).min(ending.active);
            ending.active -= moved;
            ending.stopping += moved;
            self.running.active -= moved;
            self.running.stopping += moved;
            if moved > 0 {
                longest = seconds as Second;
            }
        }
        longest + 1
    }

    /// Executions that run at a moment of the last second.
    pub fn running(&self, random: &mut impl Rng) -> u64 {
        self.running.active + self.running.stopping + rounded(self.short, random)
    }

    /// Executions that have ended.
    pub fn done(&self) -> u64 {
        self.done
    }

    fn begin(&mut self, class: usize, begun: u64, random: &mut impl Rng) {
        let duration = self.durations.of(class);
        if duration < 1.0 {
            self.short += duration * begun as f64;
            self.done += begun;
            return;
        }
        // Whole seconds, such that the mean is kept.
        let longer = rounded(duration.fract() * begun as f64, random).min(begun);
        let seconds = duration as usize;
        for (executions, seconds) in [(begun - longer, seconds), (longer, seconds + 1)] {
            self.ends[seconds - 1].active += executions;
            self.running.active += executions;
        }
    }
}

/// Rounded up or down at random, such that the mean is kept.
fn rounded(value: f64, random: &mut impl Rng) -> u64 {
    value as u64 + u64::from(random.random_bool(value.fract()))
}
