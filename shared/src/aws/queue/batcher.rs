//! Concurrent sends share calls to SQS: up to ten messages go in one, which costs and takes as much as one.
//!
//! ```text
//! sends ──▶ queue of waiting messages ──▶ dispatch ── one task per call, SEND_CALLS at once ──▶ SQS
//!    ▲                                                              │
//!    └────────────── one result for each message ───────────────────┘
//! ```
//!
//! A message that comes alone goes out at once. While calls are under way, a new one waits a moment for others. A caller
//! that has gone away leaves its message in its call.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::{OutgoingMessage, Queue};
use crate::aws::retry::Delays;
use crate::limits;

/// SQS did not accept the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may later.
    #[error("{0}")]
    NotAccepted(String),
    /// It never will: the message is wrong, which is a failure of ours.
    #[error("{0}")]
    Refused(String),
}

type Sent = Result<(), SendError>;

/// Sends messages, several in one call.
#[derive(Clone, Debug)]
pub struct SendBatcher(mpsc::Sender<Pending>);

#[derive(Debug)]
struct Pending {
    message: OutgoingMessage,
    answer: oneshot::Sender<Sent>,
}

impl SendBatcher {
    /// Starts sending to `queue`, until the last clone is dropped.
    pub fn start(queue: Queue) -> Self {
        let (sender, receiver) = mpsc::channel(limits::SEND_CALLS * limits::SQS_BATCH);
        tokio::spawn(dispatch(queue, Batches { receiver, carried: None }));
        Self(sender)
    }

    /// Returns once SQS has accepted this message.
    ///
    /// # Errors
    /// When SQS has not, however often it was tried.
    pub async fn send(&self, message: OutgoingMessage) -> Sent {
        let stopped = || SendError::NotAccepted("sending has stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        self.0.send(Pending { message, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn dispatch(queue: Queue, mut batches: Batches) {
    let calls = Arc::new(Semaphore::new(limits::SEND_CALLS));
    while let Ok(permit) = Arc::clone(&calls).acquire_owned().await {
        let Some(first) = batches.first().await else { return };
        let others_under_way = calls.available_permits() + 1 < limits::SEND_CALLS;
        let linger = if others_under_way { limits::SEND_LINGER } else { Duration::ZERO };
        let batch = batches.fill(first, linger).await;
        tokio::spawn(send(queue.clone(), batch, permit));
    }
}

/// Forms batches of what waits.
struct Batches {
    receiver: mpsc::Receiver<Pending>,
    /// What did not fit into the last batch.
    carried: Option<Pending>,
}

impl Batches {
    async fn first(&mut self) -> Option<Pending> {
        match self.carried.take() {
            Some(carried) => Some(carried),
            None => self.receiver.recv().await,
        }
    }

    /// A batch of `first`, what waits behind it, and what comes within `linger`.
    async fn fill(&mut self, first: Pending, linger: Duration) -> Vec<Pending> {
        let deadline = Instant::now() + linger;
        let mut bytes = first.message.bytes();
        let mut batch = vec![first];
        while batch.len() < limits::SQS_BATCH {
            let next = match self.receiver.try_recv() {
                Ok(next) => next,
                Err(_) if linger.is_zero() => break,
                Err(_) => match timeout_at(deadline, self.receiver.recv()).await {
                    Ok(Some(next)) => next,
                    Ok(None) | Err(_) => break,
                },
            };
            bytes += next.message.bytes();
            if bytes > limits::SQS_MESSAGE_BYTES {
                self.carried = Some(next);
                break;
            }
            batch.push(next);
        }
        batch
    }
}

async fn send(queue: Queue, batch: Vec<Pending>, _permit: OwnedSemaphorePermit) {
    let deadline = Instant::now() + limits::SEND_DEADLINE;
    let mut delays = Delays::between(Duration::from_millis(50), Duration::from_secs(1));
    let (mut messages, mut answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|pending| (pending.message, pending.answer)).unzip();
    let mut failure = SendError::NotAccepted("SQS did not answer in time".to_owned());
    for tries in 1..=limits::SEND_TRIES {
        match timeout_at(deadline, queue.send_batch(&messages)).await {
            Err(_) => break,
            Ok(Err(error)) => failure = SendError::NotAccepted(error.to_string()),
            Ok(Ok(results)) => {
                let mut refused = (Vec::new(), Vec::new());
                for ((message, answer), result) in messages.into_iter().zip(answers).zip(results) {
                    match result {
                        // Whoever no longer waits for the answer does not need it.
                        Ok(_) => _ = answer.send(Ok(())),
                        Err(error) if error.sender_fault => {
                            _ = answer.send(Err(SendError::Refused(error.to_string())));
                        }
                        Err(error) => {
                            failure = SendError::NotAccepted(error.to_string());
                            refused.0.push(message);
                            refused.1.push(answer);
                        }
                    }
                }
                (messages, answers) = refused;
            }
        }
        if messages.is_empty() || tries == limits::SEND_TRIES {
            break;
        }
        tokio::time::sleep(delays.next_delay()).await;
    }
    for answer in answers {
        _ = answer.send(Err(failure.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::trace::Trace;

    fn pending(bytes: usize) -> Pending {
        let message = OutgoingMessage {
            body: "x".repeat(bytes),
            group_id: "g".to_owned(),
            delay: Duration::ZERO,
            history: None,
            trace: Trace::NONE,
        };
        Pending { message, answer: oneshot::channel().0 }
    }

    fn waiting(sizes: &[usize]) -> (mpsc::Sender<Pending>, Batches) {
        let (sender, receiver) = mpsc::channel(100);
        for size in sizes {
            sender.try_send(pending(*size)).unwrap();
        }
        (sender, Batches { receiver, carried: None })
    }

    async fn sizes(batches: &mut Batches, linger: Duration) -> Vec<usize> {
        let first = batches.first().await.unwrap();
        batches.fill(first, linger).await.iter().map(|pending| pending.message.body.len()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_message_goes_out_at_once() {
        let (_sender, mut batches) = waiting(&[1]);
        let started_at = Instant::now();
        assert_eq!(sizes(&mut batches, Duration::ZERO).await, [1]);
        assert_eq!(started_at.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_fills_a_call_up_to_ten_messages() {
        let (sender, mut batches) = waiting(&[1]);
        tokio::spawn(async move {
            tokio::time::sleep(limits::SEND_LINGER / 2).await;
            for size in 2..=12 {
                sender.send(pending(size)).await.unwrap();
            }
        });
        let first = sizes(&mut batches, limits::SEND_LINGER).await;
        assert_eq!(first, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let started_at = Instant::now();
        assert_eq!(sizes(&mut batches, Duration::ZERO).await, [11, 12]);
        assert_eq!(started_at.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_stays_below_the_ceiling_of_sqs() {
        let third = limits::SQS_MESSAGE_BYTES / 3;
        let (sender, mut batches) = waiting(&[third, third, third, third]);
        drop(sender);
        assert_eq!(sizes(&mut batches, Duration::ZERO).await.len(), 3);
        assert_eq!(sizes(&mut batches, Duration::ZERO).await.len(), 1);
        assert!(batches.first().await.is_none());
    }
}
