//! The queue and the slots that take from it.
//!
//! Who waits is kept by the second it was sent in. Durations are drawn from a hundred equally likely ones: one by one
//! where few begin in a second, and in their exact shares where many do.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal};

use crate::Second;

/// No execution takes longer, in seconds, so that all end within a worker's grace period (`DrainSeconds`).
const LONGEST: f64 = 90.0;
const CLASSES: usize = 100;
/// A class is the mean of so many draws that are next to each other.
const DRAWS: usize = 1000;
/// From so many on, executions are begun by shares.
const MANY: u64 = 200;

/// Messages that wait, and executions that run.
pub struct Queue {
    durations: [f64; CLASSES],
    /// The share of a second that an execution uses of the second it begins in, on average.
    mean_use: f64,
    waiting: VecDeque<(Second, u64)>,
    visible: u64,
    /// Executions on tasks that go on, and on tasks that are stopping, by the second they end in.
    ends: VecDeque<Ending>,
    running: Ending,
    /// Slots that were in use in the last second by executions of less than a second.
    short: f64,
    waits: Vec<u64>,
    done: u64,
}

#[derive(Clone, Copy, Default)]
struct Ending {
    active: u64,
    stopping: u64,
}

impl Queue {
    /// An empty queue of executions that take `mean_seconds`, log-normal with σ = 1.
    pub fn new(mean_seconds: f64) -> Self {
        let distribution = LogNormal::new(0.0, 1.0).expect("σ is finite");
        let mut draws: Vec<f64> =
            distribution.sample_iter(StdRng::seed_from_u64(0)).take(CLASSES * DRAWS).collect();
        draws.sort_unstable_by(f64::total_cmp);
        let scale = mean_seconds / draws.iter().sum::<f64>() * (CLASSES * DRAWS) as f64;
        let class = |class: usize| draws[class * DRAWS..][..DRAWS].iter().sum::<f64>() / DRAWS as f64;
        let durations: [f64; CLASSES] = std::array::from_fn(|index| (class(index) * scale).min(LONGEST));
        let mean_use = durations.iter().map(|duration| duration.min(1.0)).sum::<f64>() / CLASSES as f64;
        let ends = std::iter::repeat_n(Ending::default(), LONGEST as usize + 2).collect();
        let (waiting, waits, running) = (VecDeque::new(), Vec::new(), Ending::default());
        Self { durations, mean_use, waiting, visible: 0, ends, running, short: 0.0, waits, done: 0 }
    }

    /// Messages are sent.
    pub fn send(&mut self, now: Second, messages: u64) {
        if messages > 0 {
            self.waiting.push_back((now, messages));
            self.visible += messages;
        }
    }

    /// One second: what has run its time ends, and free ones of `slots` take what has waited longest.
    pub fn serve(&mut self, now: Second, slots: u64, random: &mut impl Rng) {
        let ended = self.ends.pop_front().unwrap_or_default();
        self.ends.push_back(Ending::default());
        self.running.active -= ended.active;
        self.running.stopping -= ended.stopping;
        self.done += ended.active + ended.stopping;
        let mut free = slots.saturating_sub(self.running.active) as f64;
        self.short = 0.0;
        let many = ((free / self.mean_use) as u64).min(self.visible);
        if many >= MANY {
            for class in 0..CLASSES {
                let share = many as f64 / CLASSES as f64;
                self.begin(class, rounded(share, random), now, random);
            }
            return;
        }
        while free > 0.0 && self.visible > 0 {
            let class = random.random_range(0..CLASSES);
            self.begin(class, 1, now, random);
            free -= self.durations[class].min(1.0);
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

    /// Messages that wait.
    pub fn visible(&self) -> u64 {
        self.visible
    }

    /// Messages that a worker has at a moment of the last second.
    pub fn in_flight(&self, random: &mut impl Rng) -> u64 {
        self.running.active + self.running.stopping + rounded(self.short, random)
    }

    /// Executions that have ended.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// How long the oldest message waits.
    pub fn oldest(&self, now: Second) -> Second {
        self.waiting.front().map_or(0, |(sent, _)| now - sent)
    }

    /// How many executions waited so many seconds before they began.
    pub fn waits(&self) -> &[u64] {
        &self.waits
    }

    fn begin(&mut self, class: usize, wanted: u64, now: Second, random: &mut impl Rng) {
        let begun = wanted.min(self.visible);
        self.visible -= begun;
        let mut left = begun;
        while left > 0 {
            let Some((sent, messages)) = self.waiting.front_mut() else { break };
            let taken = left.min(*messages);
            let wait = (now - *sent) as usize;
            if self.waits.len() <= wait {
                self.waits.resize(wait + 1, 0);
            }
            self.waits[wait] += taken;
            *messages -= taken;
            left -= taken;
            if *messages == 0 {
                self.waiting.pop_front();
            }
        }
        let duration = self.durations[class];
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
