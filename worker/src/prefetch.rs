//! How many messages a worker holds at once. There is one permit for each slot, and where executions are short there are
//! up to twenty more, as many as begin within 100 ms at the present pace, so that a slot finds its next execution
//! prepared. A message that has waited for a slot for a second is given back, and until executions are shorter again
//! nothing is prefetched.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use badlambda_shared::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is prefetched should begin within this time, or another worker could have had it.
const AHEAD: Duration = Duration::from_millis(100);
/// The most messages beyond one for each slot: two receives' worth.
const MOST_AHEAD: usize = 2 * limits::SQS_BATCH;
/// The weight of one execution in the mean of how long they take.
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
    /// How long executions took lately.
    mean: Duration,
}

/// The permit to hold one message, until it is dropped.
#[derive(Debug)]
pub(crate) struct PrefetchPermit {
    prefetch: Prefetch,
    permit: Option<OwnedSemaphorePermit>,
}

impl Prefetch {
    /// One permit per slot, to begin with.
    pub(crate) fn new(slots: usize) -> Self {
        let pace = Pace { size: slots, wanted: slots, mean: AHEAD * slots as u32 };
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

    fn permit(&self, permit: OwnedSemaphorePermit) -> PrefetchPermit {
        PrefetchPermit { prefetch: self.clone(), permit: Some(permit) }
    }

    /// Whether more messages may be held.
    pub(crate) fn has_free(&self) -> bool {
        self.0.permits.available_permits() > 0
    }

    /// Takes into account how long an execution took.
    pub(crate) fn note_duration(&self, took: Duration) {
        let mut pace = self.lock();
        pace.mean = pace.mean.mul_f64(1.0 - WEIGHT) + took.mul_f64(WEIGHT);
        self.resize(&mut pace);
    }

    /// Takes into account that a message has waited for a slot for too long.
    pub(crate) fn note_stall(&self) {
        let mut pace = self.lock();
        pace.mean = AHEAD * (2 * self.0.slots) as u32;
        self.resize(&mut pace);
    }

    fn resize(&self, pace: &mut Pace) {
        let begun_ahead = self.0.slots as f64 * AHEAD.as_secs_f64() / pace.mean.as_secs_f64().max(1e-6);
        // One or two more would make receives no larger.
        let ahead = if begun_ahead < 3.0 { 0 } else { MOST_AHEAD.min(begun_ahead as usize) };
        pace.wanted = self.0.slots + ahead;
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
        if pace.size > pace.wanted
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
            pace.size -= 1;
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
        for _ in 0..100 {
            prefetch.note_duration(Duration::from_millis(1));
        }
        assert_eq!(prefetch.0.permits.available_permits(), 4 + MOST_AHEAD);
        let held = prefetch.acquire(Duration::ZERO).await.unwrap();
        let more = prefetch.acquire(Duration::ZERO).await.unwrap();
        prefetch.note_stall();
        // What is held beyond the slots frees no permit when it goes.
        assert_eq!(prefetch.0.permits.available_permits(), 0);
        drop((held, more));
        assert_eq!(prefetch.0.permits.available_permits(), 4);
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
