//! Deleting messages and giving them back, in batches.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::limits;
use badlambda_shared::queue::{EntryResult, Queue, QueueError};
use badlambda_shared::retry::Delays;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

/// How long a delete waits for others to share its call.
const LINGER: Duration = Duration::from_millis(20);
/// Calls that may be under way at once: one that has to be repeated should not hold up the others.
const CALLS: usize = 8;
const TRIES: usize = 6;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledgement {
    /// Its final record is stored: delete it.
    Done,
    /// Try it again, so much later.
    Retry(Duration),
}

/// A message, by its receipt handle, and what becomes of it.
type Entry = (String, Acknowledgement);

/// Takes acknowledgements until all senders are gone, and sees each one through. What can't be deleted comes back,
/// finds its final record, and is deleted then.
pub(crate) async fn acknowledge(queue: &Queue, mut waiting: mpsc::Receiver<Entry>) {
    let (calls, tasks) = (Arc::new(Semaphore::new(CALLS)), TaskTracker::new());
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let _ = tokio::time::timeout(LINGER, collect(&mut batch, &mut waiting)).await;
        let (done, back): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|(_, acknowledgement)| *acknowledgement == Acknowledgement::Done);
        for (call, entries) in [(Call::GiveBack, back), (Call::Delete, done)] {
            if entries.is_empty() {
                continue;
            }
            let Ok(permit) = Arc::clone(&calls).acquire_owned().await else { return };
            let queue = queue.clone();
            tasks.spawn(async move {
                see_through(&queue, call, entries).await;
                drop(permit);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Delete,
    GiveBack,
}

impl Call {
    async fn make(self, queue: &Queue, entries: &[Entry]) -> Result<Vec<EntryResult>, QueueError> {
        match self {
            Self::Delete => {
                let handles: Vec<String> = entries.iter().map(|(handle, _)| handle.clone()).collect();
                queue.delete_batch(&handles).await
            }
            Self::GiveBack => {
                let changes: Vec<(String, Duration)> = entries
                    .iter()
                    .map(|(handle, acknowledgement)| (handle.clone(), acknowledgement.delay()))
                    .collect();
                queue.change_visibility_batch(&changes).await
            }
        }
    }
}

impl Acknowledgement {
    fn delay(&self) -> Duration {
        match self {
            Self::Done => Duration::ZERO,
            Self::Retry(delay) => *delay,
        }
    }
}

async fn collect(batch: &mut Vec<Entry>, waiting: &mut mpsc::Receiver<Entry>) {
    while batch.len() < limits::SQS_BATCH {
        match waiting.recv().await {
            Some(next) => batch.push(next),
            None => return,
        }
    }
}

/// Calls until every entry is accepted, a bounded number of times.
async fn see_through(queue: &Queue, call: Call, mut entries: Vec<Entry>) {
    let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
    for attempt in 1..=TRIES {
        match call.make(queue, &entries).await {
            Ok(results) => {
                let failed = entries.into_iter().zip(results).filter_map(|(entry, result)| {
                    result.err().map(|error| {
                        tracing::warn!(%error, attempt, ?call, "SQS refused an entry");
                        entry
                    })
                });
                entries = failed.collect();
            }
            Err(error) => tracing::warn!(%error, attempt, ?call, "could not acknowledge"),
        }
        if entries.is_empty() {
            return;
        }
        tokio::time::sleep(delays.next_delay()).await;
    }
}
