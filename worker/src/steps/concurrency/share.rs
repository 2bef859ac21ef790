//! This worker's share of one function, and who uses it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::state::State;

/// This worker's share of one function.
#[derive(Debug)]
pub(super) struct FunctionShare {
    state: Mutex<State>,
    /// There may be room.
    room: Notify,
    /// There may be something to do.
    pub(super) changed: Notify,
}

/// One execution that runs, until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    share: Arc<FunctionShare>,
    taken_at: Instant,
    /// Whether it came to be run.
    has_begun: bool,
}

/// Executions that would run, until this is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    share: Arc<FunctionShare>,
    executions: u32,
    /// They would not run for now.
    rests: bool,
}

impl FunctionShare {
    pub(super) fn new(now: Instant) -> Self {
        Self { state: Mutex::new(State::new(now)), room: Notify::new(), changed: Notify::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that so many executions would run, of a function that has so many.
    pub(super) fn wait(self: &Arc<Self>, executions: u32, cap: u32) -> Waiting {
        self.state().cap = cap;
        let mut waiting = Waiting { share: Arc::clone(self), executions, rests: true };
        waiting.resume();
        waiting
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
        let now = Instant::now();
        let has_more = {
            let mut state = self.state();
            if !state.has_room(now) {
                return None;
            }
            state.running += 1;
            state.used_at = now;
            state.has_room(now)
        };
        if has_more {
            self.room.notify_one();
        }
        Some(Permit { share: Arc::clone(self), taken_at: now, has_begun: false })
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
        state.is_worth_waiting(state.waiting.saturating_sub(self.executions), Instant::now())
    }

    /// When a message that found no room is to come back.
    pub(super) fn delay(&self) -> Duration {
        self.share.state().delay(Instant::now())
    }

    pub(super) fn share(&self) -> &Arc<FunctionShare> {
        &self.share
    }

    /// Notes that they would not run for now.
    pub(super) fn rest(&mut self) {
        if !std::mem::replace(&mut self.rests, true) {
            self.share.state().end_to_wait(self.executions, Instant::now());
            self.share.changed.notify_one();
        }
    }

    /// Notes that they would run again.
    pub(super) fn resume(&mut self) {
        if std::mem::replace(&mut self.rests, false) {
            self.share.state().begin_to_wait(self.executions, Instant::now());
            self.share.changed.notify_one();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Permit {
    /// Notes that its run begins.
    pub(crate) fn note_begin(&mut self) {
        self.has_begun = true;
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
        if self.has_begun {
            state.note_run(now - self.taken_at);
        }
        drop(state);
        self.share.room.notify_one();
        self.share.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use badlambda_shared::limits;

    use super::*;
    use crate::steps::concurrency::state::{ASK_EVERY, MARGIN, Step};

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
