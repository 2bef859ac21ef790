//! The receive loop: permits first, then at most that many messages, then a task for each with its permit.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::limits;
use badlambda_shared::queue::Message;
use badlambda_shared::retry::Delays;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Worker;
use crate::admin::Pulse;
use crate::execute::execute;

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// Receives until `stop`; every message becomes a task of `tasks`.
pub(crate) async fn receive(
    worker: &Arc<Worker>,
    permits: &Arc<Semaphore>,
    tasks: &TaskTracker,
    pulse: &Pulse,
    stop: &CancellationToken,
) {
    let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
    while !stop.is_cancelled() {
        pulse.beat();
        let Some(free) = take_permits(permits, stop).await else { return };
        let received = tokio::select! {
            received = worker.queue.receive(free.len(), worker.config.visibility) => received,
            () = stop.cancelled() => return,
        };
        let delay = match received {
            Ok(messages) => {
                delays.reset();
                start(worker, tasks, messages, free);
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "could not receive");
                delays.next_delay()
            }
        };
        drop(free);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Waits for one free slot, and takes what else is free, up to a batch.
async fn take_permits(
    permits: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = tokio::select! {
        permit = Arc::clone(permits).acquire_owned() => permit.ok()?,
        () = stop.cancelled() => return None,
    };
    let more = std::iter::from_fn(|| Arc::clone(permits).try_acquire_owned().ok());
    Some(std::iter::once(first).chain(more).take(limits::SQS_BATCH).collect())
}

fn start(worker: &Arc<Worker>, tasks: &TaskTracker, messages: Vec<Message>, free: Vec<OwnedSemaphorePermit>) {
    for (message, slot) in messages.into_iter().zip(free) {
        let worker = Arc::clone(worker);
        tasks.spawn(async move { execute(&worker, message, slot).await });
    }
}
