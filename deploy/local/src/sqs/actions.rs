//! SQS's operations by name, and those on queues.

use rusqlite::Transaction;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::queues::Queue;
use super::requests::{CreateQueue, GetAttributes, ListQueues, Named, OfQueue, SetAttributes, parse};
use super::{Sqs, SqsError, queue_url};

/// The operations that there are.
const OPERATIONS: [&str; 13] = [
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "CreateQueue",
    "DeleteMessage",
    "DeleteMessageBatch",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
    "SendMessageBatch",
    "SetQueueAttributes",
];

impl Sqs {
    /// Carries out one operation.
    pub(crate) async fn act(
        &self,
        operation: &str,
        input: Value,
        stop: &CancellationToken,
    ) -> Result<Value, SqsError> {
        if OPERATIONS.contains(&operation) {
            self.counters.count("SQS", operation);
        }
        match operation {
            "CreateQueue" => self.create_queue(parse(&input)?).await,
            "GetQueueUrl" => self.get_queue_url(parse(&input)?).await,
            "ListQueues" => self.list_queues(parse(&input)?).await,
            "SendMessage" => self.send_message(queue_of(&input)?, parse(&input)?).await,
            "SendMessageBatch" => self.send_message_batch(queue_of(&input)?, parse(&input)?).await,
            "ReceiveMessage" => self.receive_message(queue_of(&input)?, parse(&input)?, stop).await,
            "DeleteMessage" => self.delete_message(queue_of(&input)?, parse(&input)?).await,
            "DeleteMessageBatch" => self.delete_message_batch(queue_of(&input)?, parse(&input)?).await,
            "ChangeMessageVisibility" => self.change_visibility(queue_of(&input)?, parse(&input)?).await,
            "ChangeMessageVisibilityBatch" => {
                self.change_visibility_batch(queue_of(&input)?, parse(&input)?).await
            }
            "GetQueueAttributes" => self.get_attributes(queue_of(&input)?, parse(&input)?).await,
            "SetQueueAttributes" => self.set_attributes(queue_of(&input)?, parse(&input)?).await,
            "PurgeQueue" => self.purge(queue_of(&input)?).await,
            other => {
                let message = format!("the embedded SQS does not have the operation {other}");
                Err(SqsError::UnsupportedOperation(message))
            }
        }
    }

    async fn create_queue(&self, input: CreateQueue) -> Result<Value, SqsError> {
        let url = queue_url(self.address, &input.queue_name);
        let create = move |transaction: &Transaction<'_>| {
            Queue::create(transaction, &input.queue_name, input.attributes)
        };
        self.call(create).await?;
        Ok(json!({"QueueUrl": url}))
    }

    async fn get_queue_url(&self, input: Named) -> Result<Value, SqsError> {
        let url = queue_url(self.address, &input.queue_name);
        self.call(move |transaction| Queue::find(transaction, &input.queue_name)).await?;
        Ok(json!({"QueueUrl": url}))
    }

    async fn list_queues(&self, input: ListQueues) -> Result<Value, SqsError> {
        let names = self.call(move |transaction| {
            let mut statement = transaction.prepare_cached("SELECT name FROM queues ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let is_meant = |name: &String| name.starts_with(&input.queue_name_prefix);
            Ok(names.into_iter().filter(is_meant).collect::<Vec<_>>())
        });
        let urls: Vec<String> = names.await?.iter().map(|name| queue_url(self.address, name)).collect();
        Ok(json!({"QueueUrls": urls}))
    }

    async fn get_attributes(&self, queue: String, input: GetAttributes) -> Result<Value, SqsError> {
        let described = self.call(move |transaction| {
            Queue::find(transaction, &queue)?.describe(transaction, &input.attribute_names)
        });
        Ok(json!({"Attributes": described.await?}))
    }

    async fn set_attributes(&self, queue: String, input: SetAttributes) -> Result<Value, SqsError> {
        let set = move |transaction: &Transaction<'_>| {
            Queue::find(transaction, &queue)?.set(transaction, input.attributes)
        };
        self.call(set).await?;
        Ok(json!({}))
    }

    async fn purge(&self, queue: String) -> Result<Value, SqsError> {
        let purge = move |transaction: &Transaction<'_>| {
            let queue = Queue::find(transaction, &queue)?;
            transaction.execute("DELETE FROM messages WHERE queue = ?", [queue.id])?;
            Ok(json!({}))
        };
        self.call(purge).await
    }
}

/// The queue that an operation is about, by its name alone: the port may be another one than when the URL was made.
fn queue_of(input: &Value) -> Result<String, SqsError> {
    let of: OfQueue = parse(input)?;
    Ok(of.queue_url.rsplit('/').next().unwrap_or_default().to_owned())
}
