//! Telling what runs for longer than a few seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_shared::index::{Line, running};
use badlambda_shared::store::Store;
use badlambda_shared::timestamp::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it is told again, while there is something.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long changes wait for others.
const LINGER: Duration = Duration::from_secs(1);

/// What this worker runs, as far as it is listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lines: Mutex<HashMap<u64, Line>>,
    next: AtomicU64,
    changed: Notify,
}

/// Keeps an execution listed as running until this is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Listed {
    running: Running,
    number: u64,
}

impl Running {
    /// Lists an execution as running.
    pub(crate) fn list(&self, line: Line) -> Listed {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.lines().insert(number, line);
        self.0.changed.notify_one();
        Listed { running: self.clone(), number }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<u64, Line>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.running.lines().remove(&self.number);
        self.running.0.changed.notify_one();
    }
}

/// Stores what runs until `ended`, under a name of this worker's own. What it stores counts for as long as its leases may
/// last without a renewal.
pub(crate) async fn renew_running(store: Store, running: Running, lease: Duration, ended: CancellationToken) {
    let worker = format!("{:016x}", rand::random::<u64>());
    let mut is_stored = false;
    while !ended.is_cancelled() {
        // With nothing to tell again, only a change is news.
        let again = async {
            if is_stored { tokio::time::sleep(RENEW_EVERY).await } else { std::future::pending().await }
        };
        tokio::select! {
            () = running.0.changed.notified() => tokio::time::sleep(LINGER).await,
            () = again => {}
            () = ended.cancelled() => {}
        }
        let lines: Vec<Line> = running.lines().values().cloned().collect();
        if lines.is_empty() && !is_stored {
            continue;
        }
        let will_be_stored = !lines.is_empty();
        match running::store(&store, &worker, lines, Timestamp::now().plus(lease)).await {
            Ok(()) => is_stored = will_be_stored,
            Err(error) => tracing::warn!(%error, "could not list what runs"),
        }
    }
}
