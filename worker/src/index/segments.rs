//! Storing a line for each execution that ended, many in one object.

use std::sync::Arc;
use std::time::Instant;

use badlambda_shared::aws::store::{Store, StoreError};
use badlambda_shared::index::{Line, store_lines};
use badlambda_shared::limits;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::{INDEX_LAG, INDEX_WAITING};
use crate::settle::batch::fill;
use crate::steps::retry::{STORE_PATIENCE, retry_until, stopped_or_after};

/// Segments that may be on their way to S3 at once. While they are, lines wait, and their messages.
const SEGMENTS: usize = 4;

/// A line on its way.
pub(crate) struct Pending {
    line: Line,
    stored: oneshot::Sender<()>,
}

/// Takes lines.
#[derive(Clone, Debug)]
pub(crate) struct IndexWriter {
    pending: mpsc::Sender<Pending>,
    /// Nothing waits any longer.
    abandon: CancellationToken,
}

impl IndexWriter {
    /// A writer, and what [`write_segments`] reads from it.
    pub(crate) fn new(abandon: CancellationToken) -> (Self, mpsc::Receiver<Pending>) {
        let (pending, waiting) = mpsc::channel(limits::SEGMENT_LINES);
        (Self { pending, abandon }, waiting)
    }

    /// Returns once the line is stored. False where it could not be in time.
    pub(crate) async fn write(&self, line: Line) -> bool {
        let (ended_at, _waiting) = (Instant::now(), INDEX_WAITING.count(1));
        let (stored, is_stored) = oneshot::channel();
        let written =
            async { self.pending.send(Pending { line, stored }).await.is_ok() && is_stored.await.is_ok() };
        let written = tokio::select! {
            written = written => written,
            () = self.abandon.cancelled() => false,
        };
        if written {
            INDEX_LAG.record([], ended_at.elapsed());
        }
        written
    }
}

/// Stores lines until all writers are gone. Once the worker stops, they do not wait for others.
pub(crate) async fn write_segments(
    store: Store,
    mut waiting: mpsc::Receiver<Pending>,
    stop: CancellationToken,
    abandon: CancellationToken,
) {
    let (permits, tasks) = (Arc::new(Semaphore::new(SEGMENTS)), TaskTracker::new());
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        tokio::select! {
            () = fill(&mut batch, &mut waiting, limits::SEGMENT_LINES) => {}
            () = stopped_or_after(&stop, limits::SEGMENT_LINGER) => {}
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (store, abandon) = (store.clone(), abandon.clone());
        tasks.spawn(async move {
            store_segment(&store, batch, &abandon).await;
            drop(permit);
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// Whoever waits for a line that could not be stored learns of it, since what would have told him is gone.
async fn store_segment(store: &Store, batch: Vec<Pending>, abandon: &CancellationToken) {
    let (lines, waiters): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|pending| (pending.line, pending.stored)).unzip();
    let write = || store_lines(store, lines.clone());
    let give_up = stopped_or_after(abandon, STORE_PATIENCE);
    match retry_until("list executions", give_up, StoreError::may_pass, write).await {
        // Who waited may have given up.
        Ok(()) => waiters.into_iter().for_each(|stored| _ = stored.send(())),
        Err(error) => {
            tracing::error!(?error, executions = lines.len(), "could not list what ended; it is tried again")
        }
    }
}
