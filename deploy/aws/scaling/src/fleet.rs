//! The ECS service and Fargate: tasks that start, run, and are paid for.

use std::collections::BTreeMap;

use rand::Rng;

use crate::Second;
use crate::prices::Prices;

/// From the launch of a task until it takes work, in seconds.
const START: std::ops::RangeInclusive<Second> = 30..=60;
/// Fargate launches so many tasks of a kind at once, and then so many a second.
const BURST: f64 = 100.0;
const PER_SECOND: f64 = 20.0;
/// A service gets so many a second: 500 a minute.
const SERVICE_PER_SECOND: f64 = 500.0 / 60.0;
/// The least that is paid for a task, in seconds.
const LEAST_PAID: Second = 60;

/// The workers' tasks.
pub struct Fleet {
    desired: u64,
    tasks: BTreeMap<u64, Task>,
    /// How many of them run, and how many of those are Spot; how many are Spot at all.
    running: u64,
    running_spot: u64,
    spot: u64,
    launched: u64,
    /// Launches that are allowed now: of on-demand tasks, of Spot tasks, of the service's.
    allowed: [f64; 3],
    paid_seconds: [u64; 2],
    prices: Prices,
}

struct Task {
    is_spot: bool,
    launched_at: Second,
    is_running: bool,
}

impl Fleet {
    /// A fleet of `tasks` that run.
    pub fn new(tasks: u64, prices: Prices) -> Self {
        let mut fleet = Self {
            desired: tasks,
            tasks: BTreeMap::new(),
            running: 0,
            running_spot: 0,
            spot: 0,
            launched: 0,
            allowed: [BURST; 3],
            paid_seconds: [0; 2],
            prices,
        };
        for _ in 0..tasks {
            let is_spot = fleet.next_is_spot();
            let task = fleet.add(0, is_spot);
            fleet.ready(task);
        }
        fleet
    }

    /// So many tasks there should be.
    pub fn desired(&self) -> u64 {
        self.desired
    }

    /// Changes how many there should be.
    pub fn set_desired(&mut self, desired: u64) {
        self.desired = desired;
    }

    /// Tasks that take work.
    pub fn running(&self) -> u64 {
        self.running
    }

    /// Tasks that run or start.
    pub fn tasks(&self) -> u64 {
        self.tasks.len() as u64
    }

    /// One second: launches what is missing, as fast as is allowed. Returns who is ready when.
    pub fn launch(&mut self, now: Second, random: &mut impl Rng) -> Vec<(Second, u64)> {
        for (allowed, refill) in self.allowed.iter_mut().zip([PER_SECOND, PER_SECOND, SERVICE_PER_SECOND]) {
            *allowed = (*allowed + refill).min(BURST);
        }
        let mut ready = Vec::new();
        while self.tasks() < self.desired {
            let is_spot = self.next_is_spot();
            let [kind, service] = [usize::from(is_spot), 2];
            if self.allowed[kind] < 1.0 || self.allowed[service] < 1.0 {
                break;
            }
            self.allowed[kind] -= 1.0;
            self.allowed[service] -= 1.0;
            ready.push((now + random.random_range(START), self.add(now, is_spot)));
        }
        ready
    }

    /// A task that was launched takes work from now on, unless it was stopped before.
    pub fn ready(&mut self, task: u64) {
        if let Some(task) = self.tasks.get_mut(&task) {
            task.is_running = true;
            self.running += 1;
            self.running_spot += u64::from(task.is_spot);
        }
    }

    /// Stops what is too much: the newest of those that start, then any of those that run. Returns how many of those
    /// that ran; they are paid until [`Fleet::pay`].
    pub fn stop_surplus(&mut self, now: Second, random: &mut impl Rng) -> Vec<Stopped> {
        let mut surplus = self.tasks().saturating_sub(self.desired) as usize;
        if surplus == 0 {
            return Vec::new();
        }
        let starting: Vec<u64> = self.ids(|task| !task.is_running).into_iter().rev().take(surplus).collect();
        surplus -= starting.len();
        for id in starting {
            let stopped = self.remove(id);
            self.pay(stopped, now);
        }
        let running = self.ids(|task| task.is_running);
        self.remove_any(running, surplus, random)
    }

    /// Fargate takes back so many Spot tasks.
    pub fn interrupt(&mut self, tasks: u64, random: &mut impl Rng) -> Vec<Stopped> {
        let spot = self.ids(|task| task.is_running && task.is_spot);
        self.remove_any(spot, tasks as usize, random)
    }

    /// Spot tasks that run.
    pub fn running_spot(&self) -> u64 {
        self.running_spot
    }

    /// A task ended.
    pub fn pay(&mut self, stopped: Stopped, at: Second) {
        self.paid_seconds[usize::from(stopped.is_spot)] += (at - stopped.launched_at).max(LEAST_PAID);
    }

    /// Ends everything; task hours and dollars in all.
    pub fn bill(mut self, now: Second) -> (f64, f64) {
        for id in self.ids(|_| true) {
            let stopped = self.remove(id);
            self.pay(stopped, now);
        }
        let [on_demand, spot] = self.paid_seconds.map(|seconds| seconds as f64 / 3600.0);
        (on_demand + spot, on_demand * self.prices.on_demand_hour + spot * self.prices.spot_hour)
    }

    fn next_is_spot(&self) -> bool {
        self.prices.next_is_spot(self.tasks() - self.spot, self.spot)
    }

    fn add(&mut self, now: Second, is_spot: bool) -> u64 {
        self.launched += 1;
        self.spot += u64::from(is_spot);
        self.tasks.insert(self.launched, Task { is_spot, launched_at: now, is_running: false });
        self.launched
    }

    fn ids(&self, wanted: impl Fn(&Task) -> bool) -> Vec<u64> {
        self.tasks.iter().filter(|(_, task)| wanted(task)).map(|(id, _)| *id).collect()
    }

    fn remove(&mut self, id: u64) -> Stopped {
        let task = self.tasks.remove(&id).expect("only ids of tasks are removed");
        self.spot -= u64::from(task.is_spot);
        self.running -= u64::from(task.is_running);
        self.running_spot -= u64::from(task.is_running && task.is_spot);
        Stopped { is_spot: task.is_spot, launched_at: task.launched_at }
    }

    fn remove_any(&mut self, mut ids: Vec<u64>, count: usize, random: &mut impl Rng) -> Vec<Stopped> {
        let count = count.min(ids.len());
        (0..count).map(|_| self.remove(ids.swap_remove(random.random_range(0..ids.len())))).collect()
    }
}

/// A task that is no longer the service's, and ends with the last of its executions.
pub struct Stopped {
    is_spot: bool,
    launched_at: Second,
}
