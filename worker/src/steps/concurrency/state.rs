//! What is known of this worker's share of one function, and what follows from it.

use std::time::Duration;

use badlambda_shared::limits;
use tokio::time::Instant;

use super::pace::Pace;

/// How often a share is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// A share is used no longer than until so long before it ends: clocks differ, and what runs by it has to end.
pub(super) const MARGIN: Duration = Duration::from_secs(3);
/// How often a larger share is asked for, and what failed is tried again.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(1);
/// A share that nothing has used for so long is given back.
const IDLE: Duration = Duration::from_secs(2);
/// Where nothing asks for it for so long, the share is forgotten, and what was learned of the function.
const FORGET_AFTER: Duration = Duration::from_secs(150);
/// For so long a message waits here for room, before it is given back.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// The most that wait here. They come to be run while more are received.
const MOST_WAITING: u32 = 60;
/// The weight of one run in the mean, if it was shorter, and if it was longer. Where the mean is too high, messages come back
/// too late, and room is not used; where it is too low, they only come back more often.
const WEIGHTS: [f64; 2] = [0.5, 0.1];

/// What is known of it.
#[derive(Debug)]
pub(super) struct State {
    /// How many may run in the whole fleet.
    pub(super) cap: u32,
    /// How many may run here, until then.
    granted: u32,
    pub(super) until: Option<Instant>,
    /// How many do.
    pub(super) running: u32,
    /// How many more would.
    pub(super) waiting: u32,
    /// The most that would have run at once since the share was last written.
    peak: u32,
    /// When the share that counts was written.
    written_at: Option<Instant>,
    /// When it was last asked for.
    asked_at: Option<Instant>,
    /// There is no answer yet.
    is_asking: bool,
    /// When something last ran or waited.
    pub(super) used_at: Instant,
    /// How long runs hold their permits on average, once that is known.
    run: Duration,
    pace: Pace,
}

/// What is to be done about a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for room for so many executions.
    Ask(u32),
    /// Nothing, until then or until something changes.
    Wait(Option<Instant>),
    /// Nothing any more.
    Forget,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            cap: 0,
            granted: 0,
            until: None,
            running: 0,
            waiting: 0,
            peak: 0,
            written_at: None,
            asked_at: None,
            is_asking: false,
            used_at: now,
            run: Duration::ZERO,
            pace: Pace::default(),
        }
    }

    /// What is to be done now, where this worker can run at most so many executions.
    pub(super) fn next_step(&self, now: Instant, slots: u32) -> Step {
        let demand = self.demand().min(slots);
        let may_ask_at = self.asked_at.map_or(now, |at| at + ASK_EVERY);
        if demand == 0 && !self.is_held(now) {
            let forget_at = self.used_at + FORGET_AFTER;
            return if forget_at <= now { Step::Forget } else { Step::Wait(Some(forget_at)) };
        }
        let give_back_at = (demand == 0).then(|| self.used_at + IDLE);
        let renew_at = self.written_at.filter(|_| self.granted > 0).map(|at| at + RENEW_EVERY);
        let needs_more = demand > self.room(now) && self.room(now) < self.cap;
        let due = |at: Option<Instant>| at.map(|at| at.max(may_ask_at));
        let grow_at = needs_more.then_some(may_ask_at);
        if due(give_back_at).is_some_and(|at| at <= now) {
            return Step::Ask(0);
        }
        if grow_at.is_some_and(|at| at <= now) {
            return Step::Ask(demand);
        }
        if due(renew_at).is_some_and(|at| at <= now) {
            return Step::Ask(self.peak.max(demand).min(slots));
        }
        Step::Wait([due(give_back_at), grow_at, due(renew_at)].into_iter().flatten().min())
    }

    /// Begins to ask for room for so many. No more than that are begun until there is an answer: it may not come, and the
    /// share be smaller. Answers how many run.
    pub(super) fn begin_to_ask(&mut self, wanted: u32, now: Instant) -> u32 {
        (self.asked_at, self.is_asking) = (Some(now), true);
        self.granted = self.granted.min(wanted.max(self.running));
        self.running
    }

    /// Notes that there is an answer, or will be none.
    pub(super) fn end_to_ask(&mut self) {
        self.is_asking = false;
    }

    pub(super) fn note_granted(&mut self, executions: u32, began_at: Instant) {
        self.granted = executions;
        let is_some = executions > 0;
        self.until = is_some.then(|| began_at + (limits::SHARE_LEASE - MARGIN));
        self.written_at = is_some.then_some(began_at);
        self.peak = self.demand();
    }

    /// Whether the next one can hope for room soon, behind so many that wait.
    pub(super) fn is_worth_waiting(&self, behind: u32, now: Instant) -> bool {
        match self.room(now) {
            _ if behind >= MOST_WAITING => false,
            // It was asked for in vain a moment ago, unless that goes on.
            0 => self.is_asking || self.asked_at.is_none_or(|at| at + ASK_EVERY <= now),
            room => self.run * (behind + 1) / room <= PATIENCE,
        }
    }

    /// Notes that so many more would run.
    pub(super) fn begin_to_wait(&mut self, executions: u32, now: Instant) {
        self.waiting += executions;
        self.peak = self.peak.max(self.demand());
        self.used_at = now;
    }

    /// Notes that so many would not, or run now.
    pub(super) fn end_to_wait(&mut self, executions: u32, now: Instant) {
        self.waiting -= executions;
        self.used_at = now;
    }

    /// When a message that found no room is to come back.
    pub(super) fn delay(&mut self, now: Instant) -> Duration {
        self.pace.delay(now, self.run, self.cap)
    }

    /// What may run in the fleet, and how long runs take, in milliseconds. Who has seen none yet goes by what others have.
    pub(super) fn learn(&mut self, run_ms: u64) -> (u32, u64) {
        if self.run.is_zero() {
            self.run = Duration::from_millis(run_ms);
        }
        (self.cap, u64::try_from(self.run.as_millis()).unwrap_or(u64::MAX))
    }

    fn demand(&self) -> u32 {
        self.running.saturating_add(self.waiting)
    }

    /// How many may run here at once.
    fn room(&self, now: Instant) -> u32 {
        if self.is_held(now) { self.granted } else { 0 }
    }

    pub(super) fn has_room(&self, now: Instant) -> bool {
        self.running < self.room(now)
    }

    fn is_held(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    pub(super) fn note_run(&mut self, took: Duration) {
        let is_first = self.run.is_zero();
        let weight = WEIGHTS[usize::from(took > self.run)];
        self.run = if is_first { took } else { self.run.mul_f64(1.0 - weight) + took.mul_f64(weight) };
    }
}
