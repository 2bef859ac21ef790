//! The messages this worker holds: one heartbeat keeps all of them invisible to others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use badlambda_shared::limits;
use badlambda_shared::queue::{EntryError, Queue};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Renewals per visibility timeout: two may fail before a message comes back.
const RENEWALS: u32 = 3;

/// Receipt handles, and what is known of each.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    messages: HashMap<String, Holding>,
    /// When one was let go last.
    released_at: Option<Instant>,
}

/// Lets go of a message when it is dropped.
#[must_use]
pub(crate) struct Hold<'a> {
    held: &'a Held,
    receipt_handle: &'a str,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.held.release(self.receipt_handle);
    }
}

#[derive(Clone, Copy, Debug)]
struct Holding {
    received_at: Instant,
    renewed_at: Instant,
}

impl Held {
    /// Holds a message that was just received, until it is deleted or given back. A task that panics lets go of its
    /// message too, which then comes back as one whose attempt was lost.
    pub(crate) fn hold<'a>(&'a self, receipt_handle: &'a str) -> Hold<'a> {
        let now = Instant::now();
        self.lock().messages.insert(receipt_handle.to_owned(), Holding { received_at: now, renewed_at: now });
        Hold { held: self, receipt_handle }
    }

    fn release(&self, receipt_handle: &str) {
        let mut state = self.lock();
        state.messages.remove(receipt_handle);
        state.released_at = Some(Instant::now());
    }

    /// Since when messages are held and none was let go; `None` where none is held.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        let state = self.lock();
        let first = state.messages.values().map(|holding| holding.received_at).min()?;
        Some(state.released_at.map_or(first, |released_at| released_at.max(first)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was last renewed so long ago, and how long each may be held still.
    fn due(&self, older_than: Duration) -> Vec<(String, Duration)> {
        let state = self.lock();
        let due = state.messages.iter().filter(|(_, holding)| holding.renewed_at.elapsed() >= older_than);
        let left =
            |holding: &Holding| limits::SQS_LONGEST_VISIBILITY.saturating_sub(holding.received_at.elapsed());
        due.map(|(handle, holding)| (handle.clone(), left(holding))).collect()
    }

    fn renewed(&self, receipt_handle: &str, at: Instant) {
        if let Some(holding) = self.lock().messages.get_mut(receipt_handle) {
            holding.renewed_at = at;
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
        let due = held.due(period / 2 + Duration::from_millis(1));
        let mut calls = JoinSet::new();
        for batch in due.chunks(limits::SQS_BATCH) {
            let changes =
                batch.iter().map(|(handle, left)| (handle.clone(), visibility.min(*left))).collect();
            calls.spawn(renew(queue.clone(), changes));
        }
        while let Some(renewed) = calls.join_next().await {
            for (handle, at, result) in renewed.unwrap_or_default() {
                match result {
                    Ok(()) => held.renewed(&handle, at),
                    // Whoever holds it now runs it, too, and one record comes first.
                    Err(error) if is_gone(&error) => {
                        tracing::warn!(%error, "a message is not held any more, while its execution goes on");
                        held.release(&handle);
                    }
                    Err(error) => tracing::warn!(%error, "could not keep a message"),
                }
            }
        }
    }
}

type Renewed = Vec<(String, Instant, Result<(), EntryError>)>;

async fn renew(queue: Queue, changes: Vec<(String, Duration)>) -> Renewed {
    let at = Instant::now();
    match queue.change_visibility_batch(&changes).await {
        Ok(results) => {
            changes.into_iter().zip(results).map(|((handle, _), result)| (handle, at, result)).collect()
        }
        Err(error) => {
            tracing::warn!(%error, "could not keep messages");
            vec![]
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
    fn only_what_is_held_and_old_is_due() {
        let held = Held::default();
        let hold = held.hold("a");
        assert!(held.due(Duration::from_secs(60)).is_empty());
        assert!(held.stuck_since().is_some_and(|since| since.elapsed() < Duration::from_secs(60)));
        let due = held.due(Duration::ZERO);
        assert_eq!(due[0].0, "a");
        assert!(due[0].1 <= limits::SQS_LONGEST_VISIBILITY);
        drop(hold);
        assert!(held.due(Duration::ZERO).is_empty());
    }

    #[test]
    fn a_panic_lets_go() {
        let held = Held::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _hold = held.hold("a");
            panic!("as a task might");
        }));
        assert!(panicked.is_err() && held.due(Duration::ZERO).is_empty());
    }
}
