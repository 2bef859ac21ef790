//! The receive loop: room first, then at most that many messages, then a task for each.
//!
//! One poller is always there. While receives come back full and there is room left, it starts others, which end with
//! the first receive that is not full.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::limits;
use badlambda_shared::queue::{Message, QueueError};
use badlambda_shared::retry::Delays;
use tokio_util::task::TaskTracker;

use crate::Worker;
use crate::admin::Pulse;
use crate::execute::execute;
use crate::room::Place;

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(20);
/// The most pollers beside the one that is always there.
const MOST_HELPERS: usize = 8;
/// How long a poller waits for room for a whole batch while the queue is full: a fraction of what is held ahead.
const LINGER: Duration = Duration::from_millis(10);
/// What a receive under way may bring after the worker was told to stop. Dropped, it would be invisible to all until
/// its visibility timeout ends.
const LAST_RECEIVE: Duration = Duration::from_secs(1);

/// Receives until the worker stops; every message becomes a task of `tasks`.
pub(crate) async fn receive(worker: &Arc<Worker>, tasks: &TaskTracker, pulse: &Pulse) {
    let helpers = TaskTracker::new();
    let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
    let mut full = false;
    while !worker.stop.is_cancelled() {
        pulse.waits();
        let Some(room) = take_room(worker, full).await else { break };
        pulse.polls();
        match poll(worker, tasks, room).await {
            Ok(was_full) => {
                pulse.turns();
                delays.reset();
                full = was_full;
                if full && worker.room.is_free() && helpers.len() < MOST_HELPERS {
                    helpers.spawn(help(Arc::clone(worker), tasks.clone()));
                }
            }
            Err(error) => {
                pulse.fails();
                tracing::warn!(%error, "could not receive");
                tokio::select! {
                    () = tokio::time::sleep(delays.next_delay()) => {}
                    () = worker.stop.cancelled() => break,
                }
            }
        }
    }
    helpers.close();
    helpers.wait().await;
}

async fn help(worker: Arc<Worker>, tasks: TaskTracker) {
    while let Some(room) = take_room(&worker, true).await {
        match poll(&worker, &tasks, room).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "could not receive");
                return;
            }
        }
    }
}

async fn take_room(worker: &Worker, queue_is_full: bool) -> Option<Vec<Place>> {
    let linger = if queue_is_full { LINGER } else { Duration::ZERO };
    tokio::select! {
        room = worker.room.take(linger) => room,
        () = worker.stop.cancelled() => None,
    }
}

/// Receives once, and starts what came. True where it was all that there was room for.
async fn poll(worker: &Arc<Worker>, tasks: &TaskTracker, room: Vec<Place>) -> Result<bool, QueueError> {
    let messages = messages(worker, room.len()).await?;
    let full = messages.len() == room.len();
    for (message, room) in messages.into_iter().zip(room) {
        let worker = Arc::clone(worker);
        tasks.spawn(async move { execute(&worker, message, room).await });
    }
    Ok(full)
}

async fn messages(worker: &Worker, most: usize) -> Result<Vec<Message>, QueueError> {
    let receiving = worker.queue.receive(most, limits::SQS_WAIT, worker.config.visibility);
    tokio::pin!(receiving);
    tokio::select! {
        received = &mut receiving => received,
        () = worker.stop.cancelled() => {
            tokio::time::timeout(LAST_RECEIVE, receiving).await.unwrap_or_else(|_| Ok(vec![]))
        }
    }
}
