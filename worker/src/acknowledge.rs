//! Deleting messages and making them visible again, in batches.

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

/// What SQS is told of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledgement {
    /// Delete it.
    Delete,
    /// Hand it out again, so much later.
    Release(Duration),
}

/// A message, by its receipt handle, and what SQS is told of it.
pub(crate) type Entry = (String, Acknowledgement);

/// Takes acknowledgements until all senders are gone, and sees each one through. What can't be deleted comes back,
/// finds its final record, and is deleted then.
pub(crate) async fn acknowledge(queue: Queue, mut waiting: mpsc::Receiver<Entry>) {
    let (calls, tasks) = (Arc::new(Semaphore::new(CALLS)), TaskTracker::new());
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let _ = tokio::time::timeout(LINGER, collect(&mut batch, &mut waiting)).await;
        let (deleted, released): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|(_, told)| *told == Acknowledgement::Delete);
        for (call, entries) in [(Call::Release, released), (Call::Delete, deleted)] {
            if entries.is_empty() {
                continue;
            }
            let Ok(permit) = Arc::clone(&calls).acquire_owned().await else { return };
            let queue = queue.clone();
            tasks.spawn(async move {
                call_until_accepted(&queue, call, entries).await;
                drop(permit);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
}

async fn collect(batch: &mut Vec<Entry>, waiting: &mut mpsc::Receiver<Entry>) {
    while batch.len() < limits::SQS_BATCH {
        match waiting.recv().await {
            Some(next) => batch.push(next),
            None => return,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Delete,
    Release,
}

impl Call {
    async fn make(self, queue: &Queue, entries: &[Entry]) -> Result<Vec<EntryResult>, QueueError> {
        match self {
            Self::Delete => {
                let handles: Vec<String> = entries.iter().map(|(handle, _)| handle.clone()).collect();
                queue.delete_batch(&handles).await
            }
            Self::Release => {
                let changes: Vec<(String, Duration)> = entries
                    .iter()
                    .map(|(handle, told)| match told {
                        Acknowledgement::Delete => (handle.clone(), Duration::ZERO),
                        Acknowledgement::Release(after) => (handle.clone(), *after),
                    })
                    .collect();
                queue.change_visibility_batch(&changes).await
            }
        }
    }
}

/// Calls until every entry is accepted, a bounded number of times.
async fn call_until_accepted(queue: &Queue, call: Call, mut entries: Vec<Entry>) {
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
