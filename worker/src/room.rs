//! How many messages a worker holds: one for each slot, and some ahead of them where executions are short, so that a
//! slot finds its next one prepared, and a receive is asked for more than one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use badlambda_shared::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is held ahead should begin within this time, or another worker could have had it.
const AHEAD: Duration = Duration::from_millis(100);
/// The most messages held ahead: two receives' worth.
const MOST_AHEAD: usize = 2 * limits::SQS_BATCH;
/// The weight of one execution in the mean of how long they take.
const WEIGHT: f64 = 0.1;

/// Room for messages, which grows and shrinks.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Inner>);

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

/// Room for one message, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for one message per slot, to begin with.
    pub(crate) fn new(slots: usize) -> Self {
        let pace = Pace { size: slots, wanted: slots, mean: AHEAD * slots as u32 };
        Self(Arc::new(Inner { permits: Arc::new(Semaphore::new(slots)), slots, pace: Mutex::new(pace) }))
    }

    /// Waits for room for one message, and takes what else is free, up to a batch. `linger` is how long it may wait for
    /// a whole batch.
    pub(crate) async fn take(&self, linger: Duration) -> Option<Vec<Place>> {
        let permits = &self.0.permits;
        let first = self.place(Arc::clone(permits).acquire_owned().await.ok()?);
        let more = limits::SQS_BATCH.min(self.lock().size) - 1;
        if !linger.is_zero() && more > 0 {
            let many = Arc::clone(permits).acquire_many_owned(more as u32);
            if let Ok(Ok(mut many)) = tokio::time::timeout(linger, many).await {
                let single = std::iter::from_fn(|| many.split(1)).map(|permit| self.place(permit));
                return Some(std::iter::once(first).chain(single).collect());
            }
        }
        let more = std::iter::from_fn(|| Arc::clone(permits).try_acquire_owned().ok());
        let more = more.map(|permit| self.place(permit));
        Some(std::iter::once(first).chain(more).take(limits::SQS_BATCH).collect())
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { room: self.clone(), permit: Some(permit) }
    }

    /// Whether more messages could be held.
    pub(crate) fn is_free(&self) -> bool {
        self.0.permits.available_permits() > 0
    }

    /// An execution took so long.
    pub(crate) fn see(&self, took: Duration) {
        let mut pace = self.lock();
        pace.mean = pace.mean.mul_f64(1.0 - WEIGHT) + took.mul_f64(WEIGHT);
        self.resize(&mut pace);
    }

    /// What was held ahead has waited for too long.
    pub(crate) fn see_stall(&self) {
        let mut pace = self.lock();
        pace.mean = AHEAD * (2 * self.0.slots) as u32;
        self.resize(&mut pace);
    }

    fn resize(&self, pace: &mut Pace) {
        let begun_ahead = self.0.slots as f64 * AHEAD.as_secs_f64() / pace.mean.as_secs_f64().max(1e-6);
        // Room for one or two more would make receives no larger.
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

impl Drop for Place {
    fn drop(&mut self) {
        let mut pace = self.room.lock();
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
    async fn short_executions_make_room_and_long_ones_take_it_away() {
        let room = Room::new(4);
        assert_eq!(room.take(Duration::ZERO).await.unwrap().len(), 4);
        for _ in 0..100 {
            room.see(Duration::from_millis(1));
        }
        assert_eq!(room.0.permits.available_permits(), 4 + MOST_AHEAD);
        let held = room.take(Duration::ZERO).await.unwrap();
        let more = room.take(Duration::ZERO).await.unwrap();
        room.see_stall();
        // What is held beyond the slots makes no room when it goes.
        assert_eq!(room.0.permits.available_permits(), 0);
        drop((held, more));
        assert_eq!(room.0.permits.available_permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_lingers_takes_a_whole_batch() {
        let room = Room::new(12);
        let held = room.take(Duration::ZERO).await.unwrap();
        assert_eq!(held.len(), limits::SQS_BATCH);
        let (later, linger) = (room.clone(), Duration::from_millis(10));
        let waiting = tokio::spawn(async move { later.take(linger).await.unwrap().len() });
        tokio::time::sleep(linger / 2).await;
        drop(held);
        assert_eq!(waiting.await.unwrap(), limits::SQS_BATCH);
    }
}
