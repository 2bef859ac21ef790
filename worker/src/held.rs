//! The messages this worker holds: one heartbeat keeps all of them invisible to others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use badlambda_shared::limits;
use badlambda_shared::queue::Queue;
use tokio_util::sync::CancellationToken;

/// Renewals per visibility timeout: two may fail before a message comes back.
const RENEWALS: u32 = 3;

/// Receipt handles, and when each one's visibility was last set.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashMap<String, Instant>>);

impl Held {
    /// Holds a message that was just received.
    pub(crate) fn hold(&self, receipt_handle: &str) {
        self.lock().insert(receipt_handle.to_owned(), Instant::now());
    }

    /// Lets go of it: it is deleted or given back.
    pub(crate) fn release(&self, receipt_handle: &str) {
        self.lock().remove(receipt_handle);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self, older_than: Duration) -> Vec<String> {
        let held = self.lock();
        let due = held.iter().filter(|(_, renewed)| renewed.elapsed() >= older_than);
        due.map(|(handle, _)| handle.clone()).collect()
    }

    fn renewed(&self, receipt_handle: &str) {
        if let Some(renewed) = self.lock().get_mut(receipt_handle) {
            *renewed = Instant::now();
        }
    }
}

/// Renews what is due until `stop`.
pub(crate) async fn heartbeat(held: &Held, queue: &Queue, visibility: Duration, stop: &CancellationToken) {
    let period = visibility / RENEWALS;
    let mut ticks = tokio::time::interval(period / 2);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        // What was renewed at the last tick is not due yet, so a message costs one renewal per period.
        for batch in held.due(period / 2 + Duration::from_millis(1)).chunks(limits::SQS_BATCH) {
            renew(held, queue, batch, visibility).await;
        }
    }
}

async fn renew(held: &Held, queue: &Queue, batch: &[String], visibility: Duration) {
    let changes: Vec<_> = batch.iter().map(|handle| (handle.clone(), visibility)).collect();
    match queue.change_visibility_batch(&changes).await {
        Ok(results) => {
            for (handle, result) in batch.iter().zip(results) {
                match result {
                    Ok(()) => held.renewed(handle),
                    Err(error) => tracing::warn!(%error, "could not keep a message"),
                }
            }
        }
        Err(error) => tracing::warn!(%error, "could not keep messages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_held_and_old_is_due() {
        let held = Held::default();
        held.hold("a");
        assert!(held.due(Duration::from_secs(60)).is_empty());
        assert_eq!(held.due(Duration::ZERO), ["a"]);
        held.release("a");
        assert!(held.due(Duration::ZERO).is_empty());
    }
}
