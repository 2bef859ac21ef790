//! Telling that this worker is there, and what it runs for longer than a few seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_shared::aws::store::Store;
use badlambda_shared::index::{Line, running};
use badlambda_shared::timestamp::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it is told again, while there is something.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How often a worker tells that it runs nothing that is listed: $0.22 a month of PUTs.
const IDLE_RENEW_EVERY: Duration = Duration::from_secs(60);
/// For how long that counts.
const IDLE_VALID_FOR: Duration = Duration::from_secs(150);
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

/// Stores what runs until `ended`, under a name of this worker's own; also that there is nothing, so that the worker is
/// counted. What it stores counts for as long as its leases may last without a renewal, or until it would have told again.
pub(crate) async fn renew_running(store: Store, running: Running, lease: Duration, ended: CancellationToken) {
    let worker = format!("{:016x}", rand::random::<u64>());
    while !ended.is_cancelled() {
        let lines: Vec<Line> = running.lines().values().cloned().collect();
        let (again, valid_for) =
            if lines.is_empty() { (IDLE_RENEW_EVERY, IDLE_VALID_FOR) } else { (RENEW_EVERY, lease) };
        let stored = running::store(&store, &worker, lines, Timestamp::now().plus(valid_for)).await;
        let pause = match stored {
            Ok(()) => again,
            Err(error) => {
                tracing::warn!(%error, "could not list what runs");
                RENEW_EVERY
            }
        };
        tokio::select! {
            () = running.0.changed.notified() => tokio::time::sleep(LINGER).await,
            () = tokio::time::sleep(pause) => {}
            () = ended.cancelled() => {}
        }
    }
    if let Err(error) = running::remove(&store, &worker).await {
        tracing::warn!(%error, "could not say that this worker is gone");
    }
}
