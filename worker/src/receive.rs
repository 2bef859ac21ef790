//! The receive loop: permits first, then at most that many messages, then a task for each.
//!
//! One poller is always there. While receives come back full and there are permits left, it starts others, which end
//! with the first receive that is not full.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::limits;
use badlambda_shared::name::FunctionName;
use badlambda_shared::queue::{Message, Queue, QueueError};
use badlambda_shared::retry::Delays;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::LoopHealth;
use crate::delivery::Delivery;
use crate::leases::Leases;
use crate::prefetch::{Prefetch, PrefetchPermit};
use crate::steps::Steps;

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(20);
/// The most pollers beside the one that is always there.
const MOST_HELPERS: usize = 8;
/// How long a receive may take to bring what there is, also under load. Where the worker stops meanwhile, this is waited
/// for: dropped, the messages would be invisible to all until their visibility timeout ends.
const LAST_RECEIVE: Duration = Duration::from_secs(1);
/// A receive that has taken longer waits for messages to come. SQS takes a few milliseconds to answer with one that just
/// came.
const LAST_WAIT: Duration = Duration::from_millis(40);

/// What receiving needs.
pub(crate) struct Receiver {
    pub(crate) queue: Queue,
    pub(crate) visibility: Duration,
    pub(crate) default_function: Option<FunctionName>,
    pub(crate) prefetch: Prefetch,
    pub(crate) leases: Leases,
    pub(crate) health: LoopHealth,
    pub(crate) stop: CancellationToken,
    pub(crate) steps: Arc<Steps>,
    /// One for each delivery.
    pub(crate) tasks: TaskTracker,
}

impl Receiver {
    /// Receives until the worker stops.
    pub(crate) async fn receive(self: Arc<Self>) {
        let helpers = TaskTracker::new();
        let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
        let mut full = false;
        while !self.stop.is_cancelled() {
            self.health.waits();
            let Some(permits) = self.permits(full).await else { break };
            self.health.polls();
            match self.poll(permits, full).await {
                Ok(was_full) => {
                    self.health.turns();
                    delays.reset();
                    full = was_full;
                    if full && self.prefetch.has_free() && helpers.len() < MOST_HELPERS {
                        helpers.spawn(Arc::clone(&self).help());
                    }
                }
                Err(error) => {
                    self.health.fails();
                    tracing::warn!(%error, "could not receive");
                    tokio::select! {
                        () = tokio::time::sleep(delays.next_delay()) => {}
                        () = self.stop.cancelled() => break,
                    }
                }
            }
        }
        helpers.close();
        helpers.wait().await;
    }

    async fn help(self: Arc<Self>) {
        while let Some(permits) = self.permits(true).await {
            match self.poll(permits, true).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "could not receive");
                    return;
                }
            }
        }
    }

    async fn permits(&self, queue_is_full: bool) -> Option<Vec<PrefetchPermit>> {
        let linger = if queue_is_full { self.prefetch.linger() } else { Duration::ZERO };
        tokio::select! {
            permits = self.prefetch.acquire(linger) => permits,
            () = self.stop.cancelled() => None,
        }
    }

    /// Receives once, and starts what came. True where it was all that there were permits for.
    async fn poll(&self, permits: Vec<PrefetchPermit>, queue_is_full: bool) -> Result<bool, QueueError> {
        let messages = self.messages(permits.len(), queue_is_full).await?;
        let full = messages.len() == permits.len();
        for (message, permit) in messages.into_iter().zip(permits) {
            let delivery = self.delivery(message, permit);
            let steps = Arc::clone(&self.steps);
            self.tasks.spawn(async move { steps.handle(delivery).await });
        }
        Ok(full)
    }

    async fn messages(&self, most: usize, queue_is_full: bool) -> Result<Vec<Message>, QueueError> {
        let asked_at = Instant::now();
        let receiving = self.queue.receive(most, limits::SQS_WAIT, self.visibility);
        tokio::pin!(receiving);
        tokio::select! {
            received = &mut receiving => {
                if queue_is_full {
                    self.prefetch.note_receive(asked_at.elapsed());
                }
                received
            }
            () = self.stop.cancelled() => {
                let last = LAST_RECEIVE.saturating_sub(asked_at.elapsed()).max(LAST_WAIT);
                tokio::time::timeout(last, receiving).await.unwrap_or_else(|_| Ok(vec![]))
            }
        }
    }

    fn delivery(&self, message: Message, mut permit: PrefetchPermit) -> Delivery {
        permit.note_message();
        let carried = message.carried.clone();
        Delivery {
            request: message.received().parse(self.default_function.as_ref()),
            history: carried.at_receive(message.receive_count, message.sent_at),
            lease: self.leases.begin(&message.receipt_handle),
            permit: Some(permit),
            message,
        }
    }
}
