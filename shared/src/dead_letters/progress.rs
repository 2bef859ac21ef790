//! How far a scan is, and an end to it before its time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// By this a look, a redrive or a purge is followed and stopped. Clones are of the same one.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Once it is cancelled, the message under way is the last.
    pub stop: CancellationToken,
    counts: Arc<Mutex<Counts>>,
}

/// What a scan has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that it looked at, meant or not.
    pub looked_at: u64,
    /// Messages that were redriven or purged.
    pub done: u64,
    /// Messages that were meant and left, since SQS moved them from another queue.
    pub skipped: u64,
}

impl Progress {
    /// One that `stop` stops, too.
    pub fn stopped_by(stop: CancellationToken) -> Self {
        Self { stop, ..Self::default() }
    }

    /// How far it is.
    pub fn counts(&self) -> Counts {
        *self.lock()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
