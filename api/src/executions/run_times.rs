//! When executions end, as this API has seen it, so that a wait looks at the record when there is something to see.
//!
//! For each version it keeps how long the last runs took, and for all together how long executions waited in the queue
//! lately. A wait looks where executions like it would have ended: once behind those that took about as long as one
//! another. A function that takes 10 ms, or now and then 3 s, is so looked at after some 10 ms, and then not before 3 s.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use badlambda_shared::execution::Status;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use lru::LruCache;

/// Versions whose runs are kept; a few hundred bytes each.
const MOST_VERSIONS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Delayed executions of which it is known how long they wait; a hundred bytes each.
const MOST_DELAYED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Runs that are kept of each, and waits of all.
const MOST_SAMPLES: usize = 32;
/// So few runs don't tell how much they differ.
const FEW_SAMPLES: usize = 8;
/// A wait in the queue tells for so long what others wait.
const RECENT: Duration = Duration::from_secs(2);
/// A look pays where at least one in so many of the executions that have not ended by then does.
const ONE_IN: usize = 8;
/// Of executions that are served by one look, it comes when so many have ended.
const SERVED_AT: f64 = 3.0 / 4.0;
/// The weight of one look in the mean.
const WEIGHT: f64 = 0.1;

/// How long executions took lately.
#[derive(Debug)]
pub(crate) struct RunTimes(Mutex<Samples>);

#[derive(Debug)]
struct Samples {
    runs: LruCache<Subject, VecDeque<Duration>>,
    /// In the queue, with when it was seen; the last comes first.
    waits: VecDeque<(Instant, Duration)>,
    /// Until when executions are delayed that this API has sent.
    delayed: LruCache<ExecutionId, Timestamp>,
    /// How long it takes to read a record, on average.
    look: Duration,
}

/// A version; without its number, all versions of the function.
type Subject = (FunctionName, Option<u32>);

/// When an execution may end.
#[derive(Debug)]
pub(crate) struct Forecast {
    /// The ages at which executions like it would have ended.
    ends: Vec<Duration>,
    look: Duration,
}

impl RunTimes {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Samples {
            runs: LruCache::new(MOST_VERSIONS),
            waits: VecDeque::new(),
            delayed: LruCache::new(MOST_DELAYED),
            look: Duration::ZERO,
        }))
    }

    /// Of an execution of this version, or of one whose version is not known.
    pub(crate) fn forecast(&self, function: &FunctionName, version: Option<u32>) -> Forecast {
        let mut samples = self.lock();
        // A record can be read somewhat later than it says that its execution finished: its write takes as long as a
        // read, more or less.
        let (wait, look) = (expected_wait(&samples.waits, Instant::now()), samples.look);
        let runs = samples.runs.get(&(function.clone(), version));
        let ends = runs.map(|runs| {
            let margin = if runs.len() < FEW_SAMPLES { look } else { look / 8 };
            runs.iter().map(|run| *run + wait + margin).collect()
        });
        Forecast { ends: ends.unwrap_or_default(), look }
    }

    /// How long runs of this version take: half of the last ones took no longer. `None` where none was seen.
    pub(crate) fn typical_run(&self, function: &FunctionName, version: u32) -> Option<Duration> {
        let mut samples = self.lock();
        let mut runs: Vec<Duration> =
            samples.runs.get(&(function.clone(), Some(version)))?.iter().copied().collect();
        let middle = runs.len() / 2;
        (!runs.is_empty()).then(|| *runs.select_nth_unstable(middle).1)
    }

    /// Remembers that no worker is given this execution before then.
    pub(crate) fn note_delay(&self, id: &ExecutionId, until: Timestamp) {
        self.lock().delayed.put(id.clone(), until);
    }

    /// Until when the execution is delayed, as far as this API has sent it.
    pub(crate) fn delayed_until(&self, id: &ExecutionId) -> Option<Timestamp> {
        self.lock().delayed.get(id).copied()
    }

    /// Takes into account how long it took to read a record.
    pub(crate) fn note_look(&self, took: Duration) {
        let mut samples = self.lock();
        samples.look = samples.look.mul_f64(1.0 - WEIGHT) + took.mul_f64(WEIGHT);
    }

    /// Takes into account how long this execution waited and ran.
    pub(crate) fn note_end(&self, record: &Record) {
        let (Some(started_at), Some(finished_at)) = (record.started_at, record.finished_at) else { return };
        if record.status == Status::Cancelled {
            return;
        }
        let mut samples = self.lock();
        let delayed_until = samples.delayed.peek(&record.id).copied();
        let queued_at = delayed_until.unwrap_or(record.submitted_at);
        push(&mut samples.waits, (Instant::now(), queued_at.until(started_at)));
        for version in [record.version, None] {
            let subject = (record.function.clone(), version);
            push(samples.runs.get_or_insert_mut(subject, VecDeque::new), started_at.until(finished_at));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<T>(samples: &mut VecDeque<T>, sample: T) {
    samples.truncate(MOST_SAMPLES - 1);
    samples.push_front(sample);
}

/// How long an execution waits in the queue: as long as others did in the last moments, or else, where none did, as the
/// quickest of them. Producers may say anything of when they sent a message, and must not put off all others' looks.
fn expected_wait(waits: &VecDeque<(Instant, Duration)>, now: Instant) -> Duration {
    let wait = match waits.front() {
        Some((at, wait)) if now.duration_since(*at) < RECENT => *wait,
        _ => waits.iter().map(|(_, wait)| *wait).min().unwrap_or_default(),
    };
    wait.min(limits::POLL_PAUSE_MOST)
}

impl Forecast {
    /// The age at which the execution is to be looked at first.
    pub(crate) fn first_look(&self, age: Duration) -> Duration {
        if self.ends.is_empty() {
            return age.max(limits::POLL_PAUSE_FIRST);
        }
        let may_have_ended = self.ends.iter().any(|end| *end <= age);
        self.next_look(age).filter(|_| !may_have_ended).unwrap_or(age)
    }

    /// The age at which it is to be looked at again. Where it takes longer than any, the pauses grow: an answer is late by
    /// at most a tenth of its age, or by half, where nothing is known of others.
    pub(crate) fn later_look(&self, age: Duration) -> Duration {
        let pause = match self.ends.iter().max() {
            Some(last) => age.saturating_sub(*last).min(age / 10),
            None => age / 2,
        };
        let pause = pause.clamp(self.look.min(limits::POLL_PAUSE_FIRST), limits::POLL_PAUSE_MOST);
        self.next_look(age).unwrap_or(age + pause)
    }

    /// The next age at which it pays to look, unless all others would have ended by now.
    fn next_look(&self, age: Duration) -> Option<Duration> {
        let mut left: Vec<Duration> = self.ends.iter().copied().filter(|end| *end > age).collect();
        left.sort_unstable();
        let mut left = left.as_slice();
        loop {
            let first = *left.first()?;
            let served = left.partition_point(|end| *end <= first + self.served_by_one(first));
            if served * ONE_IN >= left.len() {
                let at = (served as f64 * SERVED_AT).ceil() as usize;
                return Some(left[at - 1]);
            }
            left = &left[1..];
        }
    }

    /// Executions that end within this time after one of that age are served by the same look. A second look would tell
    /// the first of them hardly sooner.
    fn served_by_one(&self, first: Duration) -> Duration {
        (self.look + first / 10).min(limits::POLL_PAUSE_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn forecast(times: impl IntoIterator<Item = u64>) -> Forecast {
        Forecast { ends: times.into_iter().map(ms).collect(), look: ms(15) }
    }

    #[test]
    fn one_look_serves_those_that_take_about_as_long() {
        let known = forecast([60, 52, 71, 55, 68]);
        assert_eq!(known.next_look(Duration::ZERO), Some(ms(68)));
        assert_eq!((known.next_look(ms(68)), known.next_look(ms(71))), (Some(ms(71)), None));
        assert_eq!(forecast([]).next_look(Duration::ZERO), None);
        let quick = Forecast { look: ms(1), ..forecast([60, 52, 71, 55, 68]) };
        assert_eq!(quick.next_look(Duration::ZERO), Some(ms(55)), "looks are cheap");
    }

    #[test]
    fn an_execution_that_may_have_ended_is_looked_at_at_once() {
        let known = forecast([50, 60]);
        assert_eq!(known.first_look(ms(0)), ms(60));
        assert_eq!(known.first_look(ms(55)), ms(55));
        assert_eq!(known.first_look(ms(1000)), ms(1000));
        assert_eq!((forecast([]).first_look(ms(2)), forecast([]).first_look(ms(70))), (ms(10), ms(70)));
    }

    #[test]
    fn pauses_grow_where_it_takes_longer_than_any() {
        let known = forecast([50, 60]);
        assert_eq!(known.later_look(ms(10)), ms(60));
        assert_eq!((known.later_look(ms(61)), known.later_look(ms(80))), (ms(71), ms(90)));
        let long = forecast([1000]);
        assert_eq!((long.later_look(ms(1040)), long.later_look(ms(1500))), (ms(1080), ms(1650)));
        assert_eq!(
            (forecast([]).later_look(ms(500)), forecast([]).later_look(ms(5000))),
            (ms(750), ms(6000))
        );
    }

    #[test]
    fn nothing_is_looked_for_between_short_and_long_ones() {
        let known = forecast((0..20).map(|at| 10 + at % 3).chain([3000, 3050, 3010]));
        assert_eq!(known.next_look(Duration::ZERO), Some(ms(12)));
        assert_eq!(known.next_look(ms(13)), Some(ms(3050)));
    }

    #[test]
    fn a_look_for_one_in_many_does_not_pay() {
        let known = forecast([5].into_iter().chain((0..20).map(|at| 100 + at)));
        assert_eq!(known.next_look(Duration::ZERO), Some(ms(114)));
    }

    fn record(waited_ms: i64, ran_ms: i64, status: Status) -> Record {
        let at = |ms| Timestamp::from_unix_ms(ms);
        let submitted_at = Timestamp::from_unix_ms(0).unwrap();
        let queued = Record::queued("m-1".parse().unwrap(), "hello".parse().unwrap(), Some(3), submitted_at);
        Record { status, started_at: at(waited_ms), finished_at: at(waited_ms + ran_ms), ..queued }
    }

    #[test]
    fn runs_are_kept_for_the_version_and_for_the_function() {
        let (times, hello) = (RunTimes::new(), "hello".parse().unwrap());
        times.note_end(&record(10, 40, Status::Succeeded));
        assert_eq!(times.forecast(&hello, Some(3)).ends, [ms(50)]);
        assert_eq!(times.forecast(&hello, None).ends, [ms(50)]);
        assert!(times.forecast(&hello, Some(2)).ends.is_empty());
        for ran in 0..100 {
            times.note_end(&record(0, ran, Status::Failed));
        }
        assert_eq!(times.forecast(&hello, Some(3)).ends.len(), MOST_SAMPLES);
        assert_eq!(times.forecast(&hello, Some(3)).ends[0], ms(99), "the last comes first");
    }

    #[test]
    fn a_long_wait_in_the_queue_is_expected_only_for_a_moment() {
        let now = Instant::now();
        let waits = VecDeque::from([(now, ms(500)), (now, ms(4000)), (now, ms(8))]);
        assert_eq!(expected_wait(&waits, now + ms(100)), ms(500));
        assert_eq!(expected_wait(&waits, now + RECENT), ms(8));
        assert_eq!(expected_wait(&VecDeque::new(), now), ms(0));
        let claimed = VecDeque::from([(now, Duration::from_secs(1_000_000))]);
        assert_eq!(expected_wait(&claimed, now), limits::POLL_PAUSE_MOST);
    }

    #[test]
    fn a_delay_is_no_wait_in_the_queue() {
        let (times, delayed) = (RunTimes::new(), record(900_010, 40, Status::Succeeded));
        let until = Timestamp::from_unix_ms(900_000).unwrap();
        times.note_delay(&delayed.id, until);
        assert_eq!(times.delayed_until(&delayed.id), Some(until));
        times.note_end(&delayed);
        assert_eq!(times.forecast(&delayed.function, None).ends, [ms(50)]);
    }

    #[test]
    fn a_cancelled_execution_tells_nothing() {
        let times = RunTimes::new();
        times.note_end(&record(0, 40, Status::Cancelled));
        assert!(times.forecast(&"hello".parse().unwrap(), None).ends.is_empty());
    }
}
