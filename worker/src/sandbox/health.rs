//! Whether the executor works as it should: its zygotes answer, and every attempt ends soon after its deadline.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::zygotes::lock;

/// How long the zygotes may fail to answer before the executor counts as broken.
const SILENCE: Duration = Duration::from_secs(30);
/// An attempt may go on this long after its deadline, because killing and cleaning have time limits of their own.
const OVERTIME: Duration = Duration::from_secs(90);

/// When all zygotes answered last, and which attempts are under way.
#[derive(Debug)]
pub(super) struct Health {
    answered_at: Mutex<Instant>,
    next: AtomicU64,
    /// The deadline of each attempt under way, by the attempt's number.
    deadlines: Mutex<BTreeMap<u64, Instant>>,
}

/// Counts an attempt as under way until this is dropped.
#[must_use]
pub(super) struct Underway<'a> {
    health: &'a Health,
    number: u64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { answered_at: Mutex::new(Instant::now()), next: AtomicU64::new(0), deadlines: Mutex::default() }
    }

    /// Notes that all zygotes have answered just now.
    pub(super) fn answered(&self) {
        *lock(&self.answered_at) = Instant::now();
    }

    /// Notes that an attempt with this deadline begins.
    pub(super) fn begin(&self, deadline: Instant) -> Underway<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.deadlines).insert(number, deadline);
        Underway { health: self, number }
    }

    /// What is wrong, if anything is.
    pub(super) fn complaint(&self, now: Instant) -> Option<&'static str> {
        if now.saturating_duration_since(*lock(&self.answered_at)) > SILENCE {
            return Some("a zygote does not answer");
        }
        let overdue = |deadline: &Instant| now.saturating_duration_since(*deadline) > OVERTIME;
        lock(&self.deadlines).values().any(overdue).then_some("an execution does not end")
    }

    /// The latest deadline of all attempts under way.
    pub(super) fn busy_until(&self) -> Option<Instant> {
        lock(&self.deadlines).values().max().copied()
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        lock(&self.health.deadlines).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_overtime_are_complained_of() {
        let health = Health::new();
        let now = Instant::now();
        assert_eq!(health.complaint(now), None);
        assert!(health.complaint(now + SILENCE * 2).is_some_and(|text| text.contains("answer")));
        let attempt = health.begin(now - OVERTIME * 2);
        assert!(health.complaint(now).is_some_and(|text| text.contains("end")));
        assert_eq!(health.busy_until(), Some(now - OVERTIME * 2));
        drop(attempt);
        assert_eq!((health.complaint(now), health.busy_until()), (None, None));
    }
}
