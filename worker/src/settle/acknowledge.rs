//! Deleting messages and making them visible again, in batches.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::aws::queue::{EntryResult, Queue, QueueError};
use badlambda_shared::aws::retry::Delays;
use badlambda_shared::limits;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use crate::settle::batch::fill;

/// How long a delete waits for others to share its call.
const LINGER: Duration = Duration::from_millis(50);
/// Calls that may be under way at once: one that has to be repeated should not hold up the others.
const CALLS: usize = 8;
const TRIES: usize = 6;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// What SQS is told of a message, by its receipt handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledgement {
    /// Delete it.
    Delete(String),
    /// Hand it out again, so much later.
    Release(String, Duration),
}

/// Takes acknowledgements until all senders are gone, and sees each one through. What can't be deleted comes back,
/// finds its final record, and is deleted then.
pub(crate) async fn acknowledge(queue: Queue, mut waiting: mpsc::Receiver<Acknowledgement>) {
    let (calls, tasks) = (Arc::new(Semaphore::new(CALLS)), TaskTracker::new());
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let _ = tokio::time::timeout(LINGER, fill(&mut batch, &mut waiting, limits::SQS_BATCH)).await;
        let (mut deleted, mut released) = (vec![], vec![]);
        for acknowledgement in batch {
            match acknowledgement {
                Acknowledgement::Delete(handle) => deleted.push(handle),
                Acknowledgement::Release(handle, after) => released.push((handle, after)),
            }
        }
        for call in [Call::Release(released), Call::Delete(deleted)].into_iter().filter(|call| call.len() > 0)
        {
            let Ok(permit) = Arc::clone(&calls).acquire_owned().await else { return };
            let queue = queue.clone();
            tasks.spawn(async move {
                call.make_until_accepted(&queue).await;
                drop(permit);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// A call, with its entries.
#[derive(Debug)]
enum Call {
    Delete(Vec<String>),
    Release(Vec<(String, Duration)>),
}

impl Call {
    fn len(&self) -> usize {
        match self {
            Self::Delete(entries) => entries.len(),
            Self::Release(entries) => entries.len(),
        }
    }

    async fn make(&self, queue: &Queue) -> Result<Vec<EntryResult>, QueueError> {
        match self {
            Self::Delete(entries) => queue.delete_batch(entries).await,
            Self::Release(entries) => queue.change_visibility_batch(entries).await,
        }
    }

    /// The same call with what was refused.
    fn again(self, results: Vec<EntryResult>) -> Self {
        match self {
            Self::Delete(entries) => Self::Delete(refused(entries, results)),
            Self::Release(entries) => Self::Release(refused(entries, results)),
        }
    }

    /// Makes it until every entry is accepted, a bounded number of times.
    async fn make_until_accepted(mut self, queue: &Queue) {
        let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
        for attempt in 1..=TRIES {
            match self.make(queue).await {
                Ok(results) => self = self.again(results),
                Err(error) => tracing::warn!(%error, attempt, "could not acknowledge"),
            }
            if self.len() == 0 {
                return;
            }
            tokio::time::sleep(delays.next_delay()).await;
        }
    }
}

fn refused<T>(entries: Vec<T>, results: Vec<EntryResult>) -> Vec<T> {
    let refused = entries.into_iter().zip(results).filter_map(|(entry, result)| {
        result.err().map(|error| {
            tracing::warn!(%error, "SQS refused an acknowledgement");
            entry
        })
    });
    refused.collect()
}
