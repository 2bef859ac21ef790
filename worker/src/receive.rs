//! The receive loop: permits first, then at most that many messages, then a task for each.
//!
//! One poller is always there. While receives come back full and there are permits left, it starts others, which end
//! with the first receive that is not full.

pub(crate) mod delivery;
pub(crate) mod leases;
pub(crate) mod prefetch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_shared::aws::queue::{Message, Queue, QueueError};
use badlambda_shared::aws::retry::Delays;
use badlambda_shared::execution::message::BadMessage;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use badlambda_shared::map::ChunkRequest;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::LoopHealth;
use crate::receive::delivery::Delivery;
use crate::receive::leases::Leases;
use crate::receive::prefetch::{Prefetch, PrefetchPermit};
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

/// While a worker has as many chunks of maps as it runs, a receive often brings one more, which is given back. To come to
/// executions behind them, it goes on receiving, one message at a time, with pauses of so many times what a receive takes.
const PAUSE_BETWEEN_CHUNKS: u32 = 8;
/// The same while executions come.
const SHORT_PAUSE_BETWEEN_CHUNKS: u32 = 2;
/// For so long after one has come, others are likely to.
const EXECUTIONS_COME: Duration = Duration::from_secs(2);
/// The pause between such receives is no shorter, and no longer.
const PAUSES_BETWEEN_CHUNKS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(100)];

/// What the last receive brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// Less than it could have.
    Few,
    /// As many messages as it could have.
    Full,
    /// Nothing but chunks of maps, and the worker has as many as it runs.
    SurplusChunks,
}

/// What receiving needs.
pub(crate) struct Receiver {
    pub(crate) queue: Queue,
    pub(crate) visibility: Duration,
    pub(crate) default_function: Option<FunctionName>,
    pub(crate) prefetch: Prefetch,
    pub(crate) leases: Leases,
    pub(crate) health: LoopHealth,
    /// When the last message came that asks for an execution.
    pub(crate) last_execution: Mutex<Option<Instant>>,
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
        let mut came = Came::Few;
        while !self.stop.is_cancelled() {
            self.health.waits();
            let Some(permits) = self.permits(came).await else { break };
            self.health.polls();
            match self.poll(permits, came != Came::Few).await {
                Ok(now) => {
                    self.health.turns();
                    delays.reset();
                    came = now;
                    if came == Came::Full && self.prefetch.has_free() && helpers.len() < MOST_HELPERS {
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
        while let Some(permits) = self.permits(Came::Full).await {
            match self.poll(permits, true).await {
                Ok(Came::Full) => {}
                Ok(Came::Few | Came::SurplusChunks) => return,
                Err(error) => {
                    tracing::warn!(%error, "could not receive");
                    return;
                }
            }
        }
    }

    /// Permits for the next receive, by what came with the last one.
    async fn permits(&self, came: Came) -> Option<Vec<PrefetchPermit>> {
        let linger = if came == Came::Full { self.prefetch.linger() } else { Duration::ZERO };
        let acquire = async {
            if came == Came::SurplusChunks {
                let last_execution = self.last_execution().map(|at| at.elapsed());
                tokio::time::sleep(pause_between_chunks(self.prefetch.mean_receive(), last_execution)).await;
            }
            let mut permits = self.prefetch.acquire(linger).await?;
            if came == Came::SurplusChunks {
                permits.truncate(1);
            }
            Some(permits)
        };
        tokio::select! {
            permits = acquire => permits,
            () = self.stop.cancelled() => None,
        }
    }

    /// Receives once, and starts what came.
    async fn poll(&self, permits: Vec<PrefetchPermit>, queue_is_full: bool) -> Result<Came, QueueError> {
        let messages = self.messages(permits.len(), queue_is_full).await?;
        let is_full = messages.len() == permits.len();
        let (received, mut chunks) = (messages.len(), 0);
        for (message, mut permit) in messages.into_iter().zip(permits) {
            let steps = Arc::clone(&self.steps);
            match self.chunk(&message) {
                // What it runs waits for executions, and holds none of them up.
                Some(request) => {
                    drop(permit);
                    let delivery = self.delivery(message, request, None);
                    self.tasks.spawn(async move { steps.handle_chunk(delivery).await });
                    chunks += 1;
                }
                None => {
                    *self.last_execution() = Some(Instant::now());
                    permit.note_message();
                    let request = message.received().parse(None);
                    let delivery = self.delivery(message, request, Some(permit));
                    self.tasks.spawn(async move { steps.handle(delivery).await });
                }
            }
        }
        let has_surplus = received > 0 && chunks == received && self.steps.chunks.intake.is_full();
        Ok(match (has_surplus, is_full) {
            (true, _) => Came::SurplusChunks,
            (false, true) => Came::Full,
            (false, false) => Came::Few,
        })
    }

    fn last_execution(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last_execution.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chunk that the message asks for, if it does.
    fn chunk(&self, message: &Message) -> Option<Result<ChunkRequest, BadMessage>> {
        let request = ChunkRequest::read(&message.received());
        // With a default function, what only looks like it is that function's input.
        request.filter(|request| request.is_ok() || self.default_function.is_none())
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

    fn delivery<R>(
        &self,
        message: Message,
        request: Result<R, BadMessage>,
        permit: Option<PrefetchPermit>,
    ) -> Delivery<R> {
        let carried = message.carried.clone();
        Delivery {
            request,
            history: carried.at_receive(message.receive_count, message.sent_at),
            lease: self.leases.begin(&message.receipt_handle),
            permit,
            message,
        }
    }
}

/// How long to wait before the next receive, where surplus chunks come, if a receive takes so long on average, and the last
/// execution came so long ago.
fn pause_between_chunks(receive: Duration, last_execution: Option<Duration>) -> Duration {
    let [least, most] = PAUSES_BETWEEN_CHUNKS;
    let times = match last_execution {
        Some(ago) if ago < EXECUTIONS_COME => SHORT_PAUSE_BETWEEN_CHUNKS,
        _ => PAUSE_BETWEEN_CHUNKS,
    };
    (receive * times).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_shorter_while_executions_come() {
        let ms = Duration::from_millis;
        assert_eq!(pause_between_chunks(ms(8), None), ms(64));
        assert_eq!(pause_between_chunks(ms(8), Some(ms(100))), ms(16));
        assert_eq!(pause_between_chunks(ms(8), Some(Duration::from_secs(3))), ms(64));
        assert_eq!(
            (pause_between_chunks(ms(1), Some(ms(0))), pause_between_chunks(ms(90), None)),
            (ms(5), ms(100))
        );
    }
}
