//! How many messages a worker holds at once: one for each slot, and others ahead, so that no slot waits for SQS or S3. Ahead
//! are as many as begin while the next message is received and looked up, and, so that a receive brings many, as many as
//! begin within 100 ms, but no more than one receive brings. Slots may get free together: where that takes no longer than
//! 200 ms, each has one ahead. Where a slot gets free less often than every 100 ms, nothing is prefetched, since another
//! worker might begin it sooner. A message that has waited for a slot for a second is given back, and until executions
//! are shorter again nothing is prefetched.

mod paused;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use badlambda_shared::limits;
use badlambda_shared::process::metrics::Counted;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::MESSAGES_PREFETCHED;

/// What is prefetched should begin within this time, or another worker could have had it.
const BEGINS_WITHIN: Duration = Duration::from_millis(100);
/// Of runs that take longer, another worker could begin sooner what waits for slots to get free together.
const SHORT: Duration = Duration::from_millis(200);
/// What is prefetched is ready by this time before a slot gets free, as chance has it: batches fill, requests differ.
const SPARE: Duration = Duration::from_millis(30);
/// The longest wait for permits for a whole batch.
const MOST_LINGER: Duration = Duration::from_millis(50);
/// The most messages beyond one for each slot: six receives' worth. Their inputs are in memory.
const MOST_AHEAD: usize = 6 * limits::SQS_BATCH;
/// The weight of one sample in a mean, once there are enough.
const WEIGHT: f64 = 0.1;

/// The permits to hold messages.
#[derive(Clone, Debug)]
pub(crate) struct Prefetch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: Arc<Semaphore>,
    slots: usize,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    /// Permits there are.
    size: usize,
    /// Permits there should be.
    wanted: usize,
    /// What the steps took lately.
    means: Means,
}

/// How long the steps of a delivery take on average.
#[derive(Clone, Copy, Debug)]
struct Means {
    /// A receive from a queue that has enough.
    receive: Mean,
    /// From there until all that is run is at hand.
    look: Mean,
    run: Mean,
}

/// A mean that forgets old samples. The first one replaces what was assumed.
#[derive(Clone, Copy, Debug)]
struct Mean {
    value: Duration,
    samples: u32,
}

impl Means {
    /// How many messages to hold beyond one for each of so many slots.
    fn ahead(self, slots: usize) -> usize {
        if self.run.value > BEGINS_WITHIN * slots as u32 {
            return 0;
        }
        let begun_within = |time: Duration| time.as_secs_f64() / self.begins_every(slots).as_secs_f64();
        let batch = begun_within(BEGINS_WITHIN).min(limits::SQS_BATCH as f64);
        let lead = self.receive.value + self.look.value + SPARE;
        let at_once = if self.run.value <= SHORT { slots } else { 0 };
        MOST_AHEAD.min((begun_within(lead).max(batch).ceil() as usize).max(at_once))
    }

    /// How often one of so many slots gets free.
    fn begins_every(self, slots: usize) -> Duration {
        (self.run.value / slots as u32).max(Duration::from_micros(1))
    }
}

impl Mean {
    /// Until there is a sample, it is this.
    fn assumed(value: Duration) -> Self {
        Self { value, samples: 0 }
    }

    fn add(&mut self, sample: Duration) {
        self.samples = self.samples.saturating_add(1);
        let weight = WEIGHT.max(1.0 / f64::from(self.samples));
        self.value = self.value.mul_f64(1.0 - weight) + sample.mul_f64(weight);
    }
}

/// Runs that take so long are prefetched by no worker of so many slots.
fn too_long(slots: usize) -> Duration {
    BEGINS_WITHIN * 2 * slots as u32
}

/// The permit to hold one message, until it is dropped.
#[derive(Debug)]
pub(crate) struct PrefetchPermit {
    prefetch: Prefetch,
    permit: Option<OwnedSemaphorePermit>,
    /// While it holds a message that has no slot yet.
    prefetched: Option<Counted>,
}

impl PrefetchPermit {
    /// Notes that a message has come for it.
    pub(crate) fn note_message(&mut self) {
        self.prefetched = Some(MESSAGES_PREFETCHED.count(1));
    }

    /// Notes that its message has got a slot.
    pub(crate) fn note_slot(&mut self) {
        self.prefetched = None;
    }
}

impl Prefetch {
    /// One permit per slot, to begin with.
    pub(crate) fn new(slots: usize) -> Self {
        let unknown = Mean::assumed(Duration::ZERO);
        let means = Means { receive: unknown, look: unknown, run: Mean::assumed(too_long(slots)) };
        let pace = Pace { size: slots, wanted: slots, means };
        Self(Arc::new(Inner { permits: Arc::new(Semaphore::new(slots)), slots, pace: Mutex::new(pace) }))
    }

    /// Waits for one permit, and takes what else is free, up to a batch. `linger` is how long it may wait for a whole
    /// batch.
    pub(crate) async fn acquire(&self, linger: Duration) -> Option<Vec<PrefetchPermit>> {
        let permits = &self.0.permits;
        let first = self.permit(Arc::clone(permits).acquire_owned().await.ok()?);
        let more = limits::SQS_BATCH.min(self.lock().size) - 1;
        if !linger.is_zero() && more > 0 {
            let many = Arc::clone(permits).acquire_many_owned(more as u32);
            if let Ok(Ok(mut many)) = tokio::time::timeout(linger, many).await {
                let single = std::iter::from_fn(|| many.split(1)).map(|permit| self.permit(permit));
                return Some(std::iter::once(first).chain(single).collect());
            }
        }
        let more = std::iter::from_fn(|| Arc::clone(permits).try_acquire_owned().ok());
        let more = more.map(|permit| self.permit(permit));
        Some(std::iter::once(first).chain(more).take(limits::SQS_BATCH).collect())
    }

    /// How long to wait for permits for a whole batch, while the queue is full: until half of what is ahead has begun.
    pub(crate) fn linger(&self) -> Duration {
        let pace = self.lock();
        let ahead = pace.wanted.saturating_sub(self.0.slots);
        MOST_LINGER.min(pace.means.begins_every(self.0.slots) * (ahead / 2) as u32)
    }

    fn permit(&self, permit: OwnedSemaphorePermit) -> PrefetchPermit {
        PrefetchPermit { prefetch: self.clone(), permit: Some(permit), prefetched: None }
    }

    /// Whether more messages may be held.
    pub(crate) fn has_free(&self) -> bool {
        self.0.permits.available_permits() > 0
    }

    /// Takes into account how long a receive took from a queue that had enough.
    pub(crate) fn note_receive(&self, took: Duration) {
        self.lock().means.receive.add(took);
    }

    /// How long a receive takes on average from a queue that has enough.
    pub(crate) fn mean_receive(&self) -> Duration {
        self.lock().means.receive.value
    }

    /// Takes into account how long it took to look up and fetch what is run.
    pub(crate) fn note_look(&self, took: Duration) {
        self.lock().means.look.add(took);
    }

    /// Takes into account how long an execution took.
    pub(crate) fn note_run(&self, took: Duration) {
        let mut pace = self.lock();
        pace.means.run.add(took);
        self.resize(&mut pace);
    }

    /// Takes into account that a message has waited for a slot for too long.
    pub(crate) fn note_stall(&self) {
        let mut pace = self.lock();
        pace.means.run.value = too_long(self.0.slots);
        self.resize(&mut pace);
    }

    fn resize(&self, pace: &mut Pace) {
        pace.wanted = self.0.slots + pace.means.ahead(self.0.slots);
        if pace.wanted > pace.size {
            self.0.permits.add_permits(pace.wanted - pace.size);
            pace.size = pace.wanted;
        } else {
            // The rest goes with the messages that are held.
            pace.size -= self.0.permits.forget_permits(pace.size - pace.wanted);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PrefetchPermit {
    fn drop(&mut self) {
        let mut pace = self.prefetch.lock();
        let is_surplus = pace.size > pace.wanted;
        pace.size -= usize::from(is_surplus);
        match self.permit.take() {
            Some(permit) if is_surplus => permit.forget(),
            // Another one was given up for it.
            None if !is_surplus => self.prefetch.0.permits.add_permits(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn short_executions_bring_permits_and_long_ones_take_them_away() {
        let prefetch = Prefetch::new(4);
        assert_eq!(prefetch.acquire(Duration::ZERO).await.unwrap().len(), 4);
        prefetch.note_run(Duration::from_millis(1));
        assert_eq!(
            prefetch.0.permits.available_permits(),
            4 + MOST_AHEAD,
            "one run tells enough to begin with"
        );
        let mut held = vec![];
        while prefetch.has_free() {
            held.extend(prefetch.acquire(Duration::ZERO).await.unwrap());
        }
        prefetch.note_stall();
        // What is held beyond the slots frees no permit when it goes.
        assert_eq!(prefetch.0.permits.available_permits(), 0);
        drop(held);
        assert_eq!(prefetch.0.permits.available_permits(), 4);
    }

    #[test]
    fn as_many_are_held_as_begin_while_the_next_is_received_and_looked_up() {
        let ms = Duration::from_millis;
        let mean = Mean::assumed;
        let ahead =
            |slots, run| Means { receive: mean(ms(8)), look: mean(ms(25)), run: mean(run) }.ahead(slots);
        assert_eq!((ahead(4, ms(250)), ahead(4, ms(50)), ahead(4, ms(10))), (2, 8, 26));
        assert_eq!(ahead(4, ms(20)), 13, "more than a batch begins within 100 ms");
        assert_eq!((ahead(4, ms(150)), ahead(16, ms(150))), (4, 16), "all slots may get free at once");
        assert_eq!((ahead(4, ms(1)), ahead(4, Duration::ZERO)), (MOST_AHEAD, MOST_AHEAD));
        // A slot gets free every 750 ms, or every 47 ms.
        assert_eq!((ahead(4, ms(3000)), ahead(64, ms(3000))), (0, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_takes_a_whole_batch() {
        let prefetch = Prefetch::new(12);
        let held = prefetch.acquire(Duration::ZERO).await.unwrap();
        assert_eq!(held.len(), limits::SQS_BATCH);
        let (later, linger) = (prefetch.clone(), Duration::from_millis(10));
        let waiting = tokio::spawn(async move { later.acquire(linger).await.unwrap().len() });
        tokio::time::sleep(linger / 2).await;
        drop(held);
        assert_eq!(waiting.await.unwrap(), limits::SQS_BATCH);
    }
}
