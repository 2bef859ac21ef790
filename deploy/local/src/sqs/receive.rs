//! Receiving: what is ready at once, else a wait that a new message, a delay's end or a visibility's end cuts short.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::requests::{MAX_VISIBILITY_SECONDS, Receive, in_range};
use super::take::{SourceQueue, look};
use super::{Sqs, SqsError};

const MAX_MESSAGES: i64 = 10;
const MAX_WAIT_SECONDS: i64 = 20;

impl Sqs {
    pub(crate) async fn receive_message(
        &self,
        queue: String,
        input: Receive,
        stop: &CancellationToken,
    ) -> Result<Value, SqsError> {
        let most = input.max_number_of_messages.unwrap_or(1);
        if !(1..=MAX_MESSAGES).contains(&most) {
            let message = format!(
                "Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10."
            );
            return Err(SqsError::InvalidParameterValue(message));
        }
        in_range("WaitTimeSeconds", input.wait_time_seconds.unwrap_or(0), MAX_WAIT_SECONDS)?;
        in_range("VisibilityTimeout", input.visibility_timeout.unwrap_or(0), MAX_VISIBILITY_SECONDS)?;
        let started = Instant::now();
        let mut changes = self.changes.watch(&queue);
        let source = SourceQueue { database: self.database.clone(), changes: self.changes.clone(), queue };
        loop {
            changes.mark_unchanged();
            let (source, wishes) = (source.clone(), input.clone());
            let look = self.call(move |transaction| look(transaction, source, &wishes, most)).await?;
            if let Some(dead_letters) = look.dead_lettered_to {
                self.changes.wake(&dead_letters);
            }
            if !look.messages.is_empty() {
                return Ok(json!({"Messages": look.messages.hand_over()}));
            }
            let wait = input.wait_time_seconds.unwrap_or(look.default_wait).unsigned_abs();
            let left = Duration::from_secs(wait).saturating_sub(started.elapsed());
            if left.is_zero() || stop.is_cancelled() {
                return Ok(json!({}));
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(look.next_due.map_or(left, |due| due.min(left))) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use futures::poll;
    use rusqlite::Transaction;
    use tempfile::TempDir;

    use super::*;
    use crate::counters::Counters;

    /// A queue with one message.
    async fn queue_of_one() -> (TempDir, Sqs) {
        let folder = TempDir::new().unwrap();
        let address = "127.0.0.1:1".parse().unwrap();
        let sqs = Sqs::open(&folder.path().join("sqs"), address, Counters::default().into()).unwrap();
        sqs.ensure_queues("q", "dead").await.unwrap();
        act(&sqs, "SendMessage", json!({"QueueUrl": "/q", "MessageBody": "x"})).await;
        (folder, sqs)
    }

    async fn act(sqs: &Sqs, operation: &str, input: Value) -> Value {
        sqs.act(operation, input, &CancellationToken::new()).await.unwrap()
    }

    fn wish(wait_seconds: i64) -> Value {
        json!({"QueueUrl": "/q", "WaitTimeSeconds": wait_seconds, "AttributeNames": ["All"]})
    }

    /// Keeps the database from its next jobs until what this returns is dropped.
    fn hold(sqs: &Sqs) -> Sender<()> {
        let (held, release) = channel();
        let wait = move |_: &Transaction<'_>| {
            let _ = release.recv();
            Ok(())
        };
        sqs.database.post(wait, || {});
        held
    }

    #[tokio::test]
    async fn a_receive_that_nobody_waits_for_takes_nothing() {
        let (_folder, sqs) = queue_of_one().await;
        let never = CancellationToken::new();
        for was_looked in [false, true] {
            let held = hold(&sqs);
            let mut receive = Box::pin(sqs.act("ReceiveMessage", wish(0), &never));
            assert!(poll!(&mut receive).is_pending());
            if was_looked {
                drop(held);
                // Answered after the receive: so its message is taken, and lies in an answer that nobody reads.
                act(&sqs, "ListQueues", json!({})).await;
                drop(receive);
            } else {
                drop(receive);
                drop(held);
            }
            act(&sqs, "ListQueues", json!({})).await;
            let all = json!({"QueueUrl": "/q", "AttributeNames": ["All"]});
            let count = act(&sqs, "GetQueueAttributes", all).await;
            assert_eq!(count["Attributes"]["ApproximateNumberOfMessages"], "1", "looked: {was_looked}");
        }
        let received = act(&sqs, "ReceiveMessage", wish(0)).await;
        assert_eq!(received["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "1");
    }

    #[tokio::test]
    async fn what_is_too_old_is_gone() {
        let (_folder, sqs) = queue_of_one().await;
        let all = json!({"QueueUrl": "/q", "AttributeNames": ["All"]});
        let day = 24 * 60 * 60 * 1000;
        for (days, left) in [(13, "1"), (14, "0")] {
            let age = move |transaction: &Transaction<'_>| {
                let sent_at = crate::now_ms() - days * day - 1000;
                Ok(transaction.execute("UPDATE messages SET sent_at = ?", [sent_at])?)
            };
            sqs.call(age).await.unwrap();
            let count = act(&sqs, "GetQueueAttributes", all.clone()).await;
            assert_eq!(count["Attributes"]["ApproximateNumberOfMessages"], left, "{days}");
        }
        assert_eq!(act(&sqs, "ReceiveMessage", wish(0)).await, json!({}));
    }

    #[tokio::test]
    async fn what_is_given_back_wakes_those_who_wait() {
        let (_folder, sqs) = queue_of_one().await;
        let never = CancellationToken::new();
        let held = hold(&sqs);
        let mut leaver = Box::pin(sqs.act("ReceiveMessage", wish(0), &never));
        assert!(poll!(&mut leaver).is_pending());
        let mut stayer = Box::pin(sqs.act("ReceiveMessage", wish(20), &never));
        assert!(poll!(&mut stayer).is_pending());
        drop(held);
        act(&sqs, "ListQueues", json!({})).await;
        drop(leaver);
        let received = tokio::time::timeout(Duration::from_secs(10), stayer).await.unwrap().unwrap();
        assert_eq!(received["Messages"][0]["Body"], "x");
    }
}
