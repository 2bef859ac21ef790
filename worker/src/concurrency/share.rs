//! What this worker may run of one function at once, who uses it, and what is to be done about it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_shared::limits;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::pace::Pace;

/// How often a share is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// A share is used no longer than until so long before it ends: clocks differ, and what runs by it has to end.
const MARGIN: Duration = Duration::from_secs(3);
/// How often a larger share is asked for, and what failed is tried again.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// A share that nothing has used for so long is given back.
const IDLE: Duration = Duration::from_secs(2);
/// Where nothing asks for it for so long, the share is forgotten, and what was learned of the function.
const FORGET_AFTER: Duration = Duration::from_secs(150);
/// For so long a message waits here for room, before it is given back.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// The most that wait here. They come to be run while more are received.
const MOST_WAITING: u32 = 60;
/// The weight of one run in the mean.
const WEIGHT: f64 = 0.2;

/// This worker's share of one function.
#[derive(Debug)]
pub(super) struct FunctionShare {
    state: Mutex<State>,
    /// There may be room.
    room: Notify,
    /// There may be something to do.
    pub(super) changed: Notify,
}

/// What is known of it.
#[derive(Debug)]
pub(super) struct State {
    /// How many may run in the whole fleet.
    cap: u32,
    /// How many may run here, until then.
    granted: u32,
    until: Option<Instant>,
    /// How many do.
    running: u32,
    /// How many more would.
    waiting: u32,
    /// The most that would have run at once since the share was last written.
    peak: u32,
    /// When the share that counts was written.
    written_at: Option<Instant>,
    /// When it was last asked for.
    asked_at: Option<Instant>,
    /// There is no answer yet.
    is_asking: bool,
    /// When something last ran or waited.
    used_at: Instant,
    /// How long runs take on average, once that is known.
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

/// One execution that runs, until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    share: Arc<FunctionShare>,
    /// Once it runs.
    began_at: Option<Instant>,
}

/// Executions that would run, until this is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    share: Arc<FunctionShare>,
    executions: u32,
}

impl FunctionShare {
    pub(super) fn new(now: Instant) -> Self {
        let state = State {
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
        };
        Self { state: Mutex::new(state), room: Notify::new(), changed: Notify::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that so many executions would run, of a function that has so many.
    pub(super) fn wait(self: &Arc<Self>, executions: u32, cap: u32) -> Waiting {
        let mut state = self.state();
        state.cap = cap;
        state.waiting += executions;
        state.note_use(Instant::now());
        drop(state);
        self.changed.notify_one();
        Waiting { share: Arc::clone(self), executions }
    }

    /// Notes what was granted, by a write that began then.
    pub(super) fn note_granted(&self, executions: u32, began_at: Instant) {
        self.state().note_granted(executions, began_at);
        self.room.notify_one();
    }

    /// Ready once the share was not renewed in time. What runs by it must end: another worker may take its room.
    pub(super) async fn lapsed(&self) {
        loop {
            let until = self.state().until;
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }

    fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        let has_more = {
            let now = Instant::now();
            let mut state = self.state();
            if !state.has_room(now) {
                return None;
            }
            state.running += 1;
            state.note_use(now);
            state.has_room(now)
        };
        if has_more {
            self.room.notify_one();
        }
        Some(Permit { share: Arc::clone(self), began_at: None })
    }
}

impl State {
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

    fn note_granted(&mut self, executions: u32, began_at: Instant) {
        self.granted = executions;
        let is_some = executions > 0;
        self.until = is_some.then(|| began_at + (limits::SHARE_LEASE - MARGIN));
        self.written_at = is_some.then_some(began_at);
        self.peak = self.demand();
    }

    /// Whether the next one can hope for room soon, behind so many that wait.
    fn is_worth_waiting(&self, behind: u32, now: Instant) -> bool {
        match self.room(now) {
            _ if behind >= MOST_WAITING => false,
            // It was asked for in vain a moment ago, unless that goes on.
            0 => self.is_asking || self.asked_at.is_none_or(|at| at + ASK_EVERY <= now),
            room => self.run * (behind + 1) / room <= PATIENCE,
        }
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

    fn has_room(&self, now: Instant) -> bool {
        self.running < self.room(now)
    }

    fn is_held(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    fn note_use(&mut self, now: Instant) {
        self.used_at = now;
        self.peak = self.peak.max(self.demand());
    }

    fn note_run(&mut self, took: Duration) {
        let is_first = self.run.is_zero();
        self.run = if is_first { took } else { self.run.mul_f64(1.0 - WEIGHT) + took.mul_f64(WEIGHT) };
    }
}

impl Waiting {
    /// The permit to run one execution, once there is room. Who waits first comes first.
    pub(super) async fn acquire(&self) -> Permit {
        loop {
            self.share.room.notified().await;
            if let Some(permit) = self.share.try_acquire() {
                return permit;
            }
        }
    }

    /// The same, where there is room now and nobody else waits for it.
    pub(super) fn acquire_now(&self) -> Option<Permit> {
        let is_first = self.share.state().waiting <= self.executions;
        if is_first { self.share.try_acquire() } else { None }
    }

    /// Whether there may be room soon.
    pub(super) fn is_worthwhile(&self) -> bool {
        let state = self.share.state();
        state.is_worth_waiting(state.waiting - self.executions, Instant::now())
    }

    /// When a message that found no room is to come back.
    pub(super) fn delay(&self) -> Duration {
        let mut state = self.share.state();
        let (run, cap) = (state.run, state.cap);
        state.pace.delay(Instant::now(), run, cap)
    }

    pub(super) fn share(&self) -> &Arc<FunctionShare> {
        &self.share
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.share.state();
        state.waiting -= self.executions;
        state.used_at = Instant::now();
        drop(state);
        self.share.changed.notify_one();
    }
}

impl Permit {
    /// Notes that its run begins.
    pub(crate) fn note_begin(&mut self) {
        self.began_at = Some(Instant::now());
    }

    /// Ready once what runs by it must end.
    pub(crate) async fn lapsed(&self) {
        self.share.lapsed().await;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.share.state();
        state.running -= 1;
        state.used_at = now;
        if let Some(began_at) = self.began_at {
            state.note_run(now - began_at);
        }
        drop(state);
        self.share.room.notify_one();
        self.share.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: u32 = 4;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// A share that may be asked for, of a function that has 3, and the time.
    fn share() -> (Arc<FunctionShare>, Instant) {
        let now = Instant::now();
        (Arc::new(FunctionShare::new(now)), now)
    }

    fn granted(share: &FunctionShare, wanted: u32, executions: u32, at: Instant) {
        share.state().begin_to_ask(wanted, at);
        share.note_granted(executions, at);
        share.state().end_to_ask();
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_is_asked_for_renewed_and_given_back() {
        let (share, start) = share();
        let next = |ms| share.state().next_step(at(start, ms), SLOTS);
        let waiting = share.wait(2, 3);
        assert_eq!(next(0), Step::Ask(2));
        granted(&share, 2, 2, start);
        let (first, second) = (waiting.acquire().await, waiting.acquire().await);
        drop(waiting);
        assert_eq!((next(1000), next(4999)), (Step::Wait(Some(at(start, 5000))), next(1000)));
        assert_eq!(next(5000), Step::Ask(2));
        granted(&share, 2, 2, at(start, 5000));
        drop((first, second));
        assert_eq!(next(0), Step::Wait(Some(at(start, 6000))), "an ask has just failed or succeeded");
        assert_eq!(next(6000), Step::Ask(0));
        granted(&share, 0, 0, at(start, 6000));
        assert_eq!((next(149_999), next(150_000)), (Step::Wait(Some(at(start, 150_000))), Step::Forget));
    }

    #[tokio::test(start_paused = true)]
    async fn more_is_asked_for_once_a_second_and_no_more_than_there_are_slots() {
        let (share, start) = share();
        let next = |ms| share.state().next_step(at(start, ms), SLOTS);
        let _waiting = share.wait(9, 9);
        assert_eq!(next(0), Step::Ask(SLOTS));
        granted(&share, SLOTS, 1, start);
        assert_eq!((next(999), next(1000)), (Step::Wait(Some(at(start, 1000))), Step::Ask(SLOTS)));
        granted(&share, SLOTS, SLOTS, at(start, 1000));
        assert_eq!(next(2000), Step::Wait(Some(at(start, 6000))));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_run_than_were_granted_and_none_once_that_has_lapsed() {
        let (share, start) = share();
        let waiting = share.wait(3, 3);
        assert!(waiting.acquire_now().is_none());
        granted(&share, 3, 2, start);
        let (first, second) = (waiting.acquire_now().unwrap(), waiting.acquire().await);
        assert!(waiting.acquire_now().is_none());
        drop(first);
        let first = waiting.acquire().await;
        // Nothing renews it.
        first.lapsed().await;
        assert_eq!(Instant::now(), start + limits::SHARE_LEASE - MARGIN);
        drop(second);
        assert!(waiting.acquire_now().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_given_up_is_not_used() {
        let (share, start) = share();
        let waiting = share.wait(3, 3);
        granted(&share, 3, 3, start);
        let _first = waiting.acquire().await;
        // It asks for less, and gets no answer.
        share.state().begin_to_ask(1, at(start, 5000));
        assert!(waiting.acquire_now().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_waits_only_where_there_may_be_room_soon() {
        let (share, start) = share();
        let waiting = share.wait(1, 3);
        assert!(waiting.is_worthwhile(), "nobody has asked yet");
        granted(&share, 1, 0, start);
        assert!(!waiting.is_worthwhile(), "others have it all");
        tokio::time::advance(ASK_EVERY).await;
        assert!(waiting.is_worthwhile());
        granted(&share, 1, 1, Instant::now());
        let mut running = waiting.acquire().await;
        running.note_begin();
        tokio::time::advance(Duration::from_millis(600)).await;
        drop(running);
        assert!(waiting.is_worthwhile());
        let _ahead = share.wait(1, 3);
        assert!(!waiting.is_worthwhile(), "two runs take more than a second");
        assert_eq!((waiting.delay(), waiting.delay()), (Duration::from_secs(1), Duration::from_millis(1200)));
    }
}
