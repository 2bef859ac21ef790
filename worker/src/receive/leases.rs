//! The leases of the messages that this worker holds: each keeps its message invisible to others. One heartbeat renews
//! them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use badlambda_shared::aws::queue::{EntryError, Queue};
use badlambda_shared::limits;
use badlambda_shared::process::metrics::Counted;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::metrics::{LEASES_LOST, MESSAGES_HELD};

/// Renewals per visibility timeout: two may fail before a message comes back.
const RENEWALS: u32 = 3;

/// All leases, by the receipt handles of their messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leases(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    renewal_ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    leases: HashMap<String, LeaseState>,
    /// When one ended last.
    ended_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct LeaseState {
    received_at: Instant,
    renewed_at: Instant,
    /// When a renewal was last sent.
    sent_at: Instant,
    /// Renewals that are not answered yet.
    under_way: u32,
}

/// The lease of one message. It ends when this is dropped: a task that panics gives its message up, too, which then
/// comes back as one whose attempt was lost.
#[derive(Debug)]
#[must_use]
pub(crate) struct Lease {
    leases: Leases,
    receipt_handle: String,
    _counted: Counted,
}

impl Lease {
    /// Ends the lease, and waits until no renewal is under way that would come after what is done next.
    pub(crate) async fn end(self) {
        loop {
            let ended = self.leases.0.renewal_ended.notified();
            let under_way = self.leases.lock().leases.get(&self.receipt_handle).map(|lease| lease.under_way);
            if under_way.is_none_or(|calls| calls == 0) {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.leases.forget(&self.receipt_handle);
    }
}

impl Leases {
    /// The lease of a message that was just received.
    pub(crate) fn begin(&self, receipt_handle: &str) -> Lease {
        let now = Instant::now();
        let lease = LeaseState { received_at: now, renewed_at: now, sent_at: now, under_way: 0 };
        self.lock().leases.insert(receipt_handle.to_owned(), lease);
        Lease {
            leases: self.clone(),
            receipt_handle: receipt_handle.to_owned(),
            _counted: MESSAGES_HELD.count(1),
        }
    }

    /// Since when there are leases and none has ended; `None` where there are none.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        let state = self.lock();
        let first = state.leases.values().map(|lease| lease.received_at).min()?;
        Some(state.ended_at.map_or(first, |ended_at| ended_at.max(first)))
    }

    /// Whether it was there.
    fn forget(&self, receipt_handle: &str) -> bool {
        let mut state = self.lock();
        state.ended_at = Some(Instant::now());
        state.leases.remove(receipt_handle).is_some()
    }

    /// Those whose last renewal, and last attempt at one, is as old as `age`, with how long each may still be held. They
    /// count as being renewed from now on.
    fn take_due(&self, age: Duration) -> Vec<(String, Duration)> {
        let mut state = self.lock();
        let now = Instant::now();
        let due = state.leases.iter_mut().filter(|(_, lease)| {
            now.duration_since(lease.renewed_at) >= age && now.duration_since(lease.sent_at) >= age
        });
        due.map(|(handle, lease)| {
            lease.sent_at = now;
            lease.under_way += 1;
            let held_for = now.duration_since(lease.received_at);
            (handle.clone(), limits::SQS_LONGEST_VISIBILITY.saturating_sub(held_for))
        })
        .collect()
    }

    /// Notes how the renewal of a lease ended that was sent at `sent_at`.
    fn note_renewal(&self, receipt_handle: &str, sent_at: Instant, renewed: bool) {
        if let Some(lease) = self.lock().leases.get_mut(receipt_handle) {
            lease.under_way = lease.under_way.saturating_sub(1);
            if renewed {
                lease.renewed_at = lease.renewed_at.max(sent_at);
            }
        }
        self.0.renewal_ended.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews leases until `stop`. No call waits for another: one that hangs keeps its ten messages from being renewed only
/// until they are due again, a sixth of the visibility timeout later.
pub(crate) async fn renew_leases(
    leases: Leases,
    queue: Queue,
    visibility: Duration,
    stop: CancellationToken,
) {
    let tick = visibility / RENEWALS / 2;
    let mut ticks = tokio::time::interval(tick);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        // What was renewed at the last tick is not due yet, so that a message costs one renewal every other tick.
        let due = leases.take_due(tick + Duration::from_millis(1));
        for batch in due.chunks(limits::SQS_BATCH) {
            let changes =
                batch.iter().map(|(handle, left)| (handle.clone(), visibility.min(*left))).collect();
            tokio::spawn(renew_batch(leases.clone(), queue.clone(), changes, visibility));
        }
    }
}

async fn renew_batch(leases: Leases, queue: Queue, changes: Vec<(String, Duration)>, visibility: Duration) {
    let sent_at = Instant::now();
    // Later it would come too late.
    let answer = tokio::time::timeout(visibility, queue.change_visibility_batch(&changes)).await;
    let results = match answer {
        Ok(Ok(results)) => results.into_iter().map(Some).collect(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "could not renew leases");
            vec![None; changes.len()]
        }
        Err(_) => {
            tracing::warn!("SQS did not answer a renewal of leases");
            vec![None; changes.len()]
        }
    };
    for ((handle, _), result) in changes.into_iter().zip(results) {
        leases.note_renewal(&handle, sent_at, matches!(result, Some(Ok(()))));
        match result {
            // Whoever holds it now runs it, too, and one record comes first.
            Some(Err(error)) if is_gone(&error) => {
                // One that has ended meanwhile is not lost.
                if leases.forget(&handle) {
                    tracing::warn!(%error, "a lease is lost, while its execution goes on");
                    LEASES_LOST.count([]);
                }
            }
            Some(Err(error)) => tracing::warn!(%error, "could not renew a lease"),
            Some(Ok(())) | None => {}
        }
    }
}

/// Whether SQS says that the message is visible, gone, or another's.
fn is_gone(error: &EntryError) -> bool {
    ["ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"]
        .iter()
        .any(|code| error.code.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_due_when_it_is_old_and_not_being_renewed() {
        let leases = Leases::default();
        let lease = leases.begin("a");
        assert!(leases.take_due(Duration::from_secs(60)).is_empty());
        assert!(leases.stuck_since().is_some_and(|since| since.elapsed() < Duration::from_secs(60)));
        let due = leases.take_due(Duration::ZERO);
        assert_eq!(due[0].0, "a");
        assert!(due[0].1 <= limits::SQS_LONGEST_VISIBILITY);
        // A call that hangs is followed by another.
        std::thread::sleep(Duration::from_millis(2));
        assert!(leases.take_due(Duration::from_secs(60)).is_empty());
        assert_eq!(leases.take_due(Duration::from_millis(1)).len(), 1);
        drop(lease);
        assert!(leases.take_due(Duration::ZERO).is_empty());
    }

    #[test]
    fn a_panic_ends_the_lease() {
        let leases = Leases::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = leases.begin("a");
            panic!("as a task might");
        }));
        assert!(panicked.is_err() && leases.take_due(Duration::ZERO).is_empty());
    }

    #[tokio::test]
    async fn ending_waits_for_a_renewal_under_way() {
        let leases = Leases::default();
        let lease = leases.begin("a");
        let sent_at = Instant::now();
        assert_eq!(leases.take_due(Duration::ZERO).len(), 1);
        let ending = tokio::spawn(lease.end());
        tokio::task::yield_now().await;
        assert!(!ending.is_finished());
        leases.note_renewal("a", sent_at, true);
        ending.await.unwrap();
        assert!(leases.take_due(Duration::ZERO).is_empty());
    }
}
