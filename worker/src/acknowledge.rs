//! Deleting messages and giving them back, in batches.

use std::time::Duration;

use badlambda_shared::limits;
use badlambda_shared::queue::{EntryResult, Queue, QueueError};
use badlambda_shared::retry::Delays;
use tokio::sync::mpsc;

/// How long a delete waits for others to share its call.
const LINGER: Duration = Duration::from_millis(20);
const TRIES: usize = 5;
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

/// Takes acknowledgements until all senders are gone, and sees each one through. What can't be deleted comes back,
/// finds its final record, and is deleted then.
pub(crate) async fn acknowledge(queue: &Queue, mut waiting: mpsc::Receiver<(String, Acknowledgement)>) {
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let full = collect(&mut batch, &mut waiting);
        let _ = tokio::time::timeout(LINGER, full).await;
        let (done, back): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|(_, acknowledgement)| *acknowledgement == Acknowledgement::Done);
        see_through(queue, Call::Delete, done).await;
        see_through(queue, Call::GiveBack, back).await;
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Delete,
    GiveBack,
}

impl Call {
    async fn make(
        self,
        queue: &Queue,
        entries: &[(String, Acknowledgement)],
    ) -> Result<Vec<EntryResult>, QueueError> {
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

async fn collect(
    batch: &mut Vec<(String, Acknowledgement)>,
    waiting: &mut mpsc::Receiver<(String, Acknowledgement)>,
) {
    while batch.len() < limits::SQS_BATCH {
        match waiting.recv().await {
            Some(next) => batch.push(next),
            None => return,
        }
    }
}

/// Calls until every entry is accepted, a bounded number of times.
async fn see_through(queue: &Queue, call: Call, mut entries: Vec<(String, Acknowledgement)>) {
    let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
    for attempt in 1..=TRIES {
        if entries.is_empty() {
            return;
        }
        if attempt > 1 {
            tokio::time::sleep(delays.next_delay()).await;
        }
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
    }
}
