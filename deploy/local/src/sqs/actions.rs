//! SQS's operations, but for receiving.

use rusqlite::Transaction;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::messages::{self, MAX_MESSAGE_BYTES};
use super::queues::Queue;
use super::receive::Receipt;
use super::requests::{
    Batch, ChangeVisibility, CreateQueue, Delete, GetAttributes, ListQueues, Named, OfQueue, Send,
    SetAttributes, parse,
};
use super::{Sqs, SqsError, batch, now_ms, queue_url};

const MAX_DELAY_SECONDS: i64 = 900;
const MAX_VISIBILITY_SECONDS: i64 = 43_200;
const MAX_GROUP_CHARS: usize = 128;

impl Sqs {
    /// Carries out one operation.
    pub(crate) async fn act(
        &self,
        operation: &str,
        input: Value,
        stop: &CancellationToken,
    ) -> Result<Value, SqsError> {
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
        self.database.call(create).await?;
        Ok(json!({"QueueUrl": url}))
    }

    async fn get_queue_url(&self, input: Named) -> Result<Value, SqsError> {
        let url = queue_url(self.address, &input.queue_name);
        self.database.call(move |transaction| Queue::find(transaction, &input.queue_name)).await?;
        Ok(json!({"QueueUrl": url}))
    }

    async fn list_queues(&self, input: ListQueues) -> Result<Value, SqsError> {
        let names = self.database.call(move |transaction| {
            let mut statement = transaction.prepare_cached("SELECT name FROM queues ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            Ok(names
                .into_iter()
                .filter(move |name| name.starts_with(&input.queue_name_prefix))
                .collect::<Vec<_>>())
        });
        let urls: Vec<String> = names.await?.iter().map(|name| queue_url(self.address, name)).collect();
        Ok(json!({"QueueUrls": urls}))
    }

    async fn send_message(&self, queue: String, input: Send) -> Result<Value, SqsError> {
        let name = queue.clone();
        let sent = self
            .database
            .call(move |transaction| send(transaction, &Queue::find(transaction, &queue)?, &input));
        let sent = sent.await?;
        self.wake(&name);
        Ok(sent)
    }

    async fn send_message_batch(&self, queue: String, input: Batch<Send>) -> Result<Value, SqsError> {
        batch::check(input.entries.iter().map(|entry| entry.id.as_str()))?;
        let bytes = |entry: &Send| messages::size(&entry.message_body, &entry.message_attributes);
        if input.entries.iter().map(bytes).sum::<usize>() > MAX_MESSAGE_BYTES {
            return Err(SqsError::BatchRequestTooLong(MAX_MESSAGE_BYTES));
        }
        let name = queue.clone();
        let sent = self.database.call(move |transaction| {
            let queue = Queue::find(transaction, &queue)?;
            Ok(batch::answer(
                input.entries.iter().map(|entry| (entry.id.clone(), send(transaction, &queue, entry))),
            ))
        });
        let sent = sent.await?;
        self.wake(&name);
        Ok(sent)
    }

    async fn delete_message(&self, queue: String, input: Delete) -> Result<Value, SqsError> {
        let delete = move |transaction: &Transaction<'_>| {
            delete(transaction, &Queue::find(transaction, &queue)?, &input.receipt_handle)
        };
        self.database.call(delete).await
    }

    async fn delete_message_batch(&self, queue: String, input: Batch<Delete>) -> Result<Value, SqsError> {
        batch::check(input.entries.iter().map(|entry| entry.id.as_str()))?;
        let deleted = self.database.call(move |transaction| {
            let queue = Queue::find(transaction, &queue)?;
            let delete =
                |entry: &Delete| (entry.id.clone(), delete(transaction, &queue, &entry.receipt_handle));
            Ok(batch::answer(input.entries.iter().map(delete)))
        });
        deleted.await
    }

    async fn change_visibility(&self, queue: String, input: ChangeVisibility) -> Result<Value, SqsError> {
        let name = queue.clone();
        let change = move |transaction: &Transaction<'_>| {
            change_visibility(transaction, &Queue::find(transaction, &queue)?, &input)
        };
        let changed = self.database.call(change).await?;
        self.wake(&name);
        Ok(changed)
    }

    async fn change_visibility_batch(
        &self,
        queue: String,
        input: Batch<ChangeVisibility>,
    ) -> Result<Value, SqsError> {
        batch::check(input.entries.iter().map(|entry| entry.id.as_str()))?;
        let name = queue.clone();
        let changed = self.database.call(move |transaction| {
            let queue = Queue::find(transaction, &queue)?;
            let change =
                |entry: &ChangeVisibility| (entry.id.clone(), change_visibility(transaction, &queue, entry));
            Ok(batch::answer(input.entries.iter().map(change)))
        });
        let changed = changed.await?;
        self.wake(&name);
        Ok(changed)
    }

    async fn get_attributes(&self, queue: String, input: GetAttributes) -> Result<Value, SqsError> {
        let described = self.database.call(move |transaction| {
            Queue::find(transaction, &queue)?.describe(transaction, &input.attribute_names)
        });
        Ok(json!({"Attributes": described.await?}))
    }

    async fn set_attributes(&self, queue: String, input: SetAttributes) -> Result<Value, SqsError> {
        let set = move |transaction: &Transaction<'_>| {
            Queue::find(transaction, &queue)?.set(transaction, input.attributes)
        };
        self.database.call(set).await?;
        Ok(json!({}))
    }

    async fn purge(&self, queue: String) -> Result<Value, SqsError> {
        let purge = move |transaction: &Transaction<'_>| {
            let queue = Queue::find(transaction, &queue)?;
            transaction.execute("DELETE FROM messages WHERE queue = ?", [queue.id])?;
            Ok(json!({}))
        };
        self.database.call(purge).await
    }
}

/// The queue that an operation is about, by its name alone: the port may be another one than when the URL was made.
fn queue_of(input: &Value) -> Result<String, SqsError> {
    let of: OfQueue = parse(input)?;
    Ok(of.queue_url.rsplit('/').next().unwrap_or_default().to_owned())
}

fn send(transaction: &Transaction<'_>, queue: &Queue, input: &Send) -> Result<Value, SqsError> {
    let most = usize::try_from(queue.number("MaximumMessageSize")).unwrap_or(MAX_MESSAGE_BYTES);
    messages::check(&input.message_body, &input.message_attributes, most)?;
    if input.message_deduplication_id.is_some() {
        let message =
            "The request include parameter that is not valid for this queue type: MessageDeduplicationId";
        return Err(SqsError::InvalidParameterValue(message.to_owned()));
    }
    if input.message_group_id.as_ref().is_some_and(|group| group.is_empty() || group.len() > MAX_GROUP_CHARS)
    {
        return Err(SqsError::InvalidParameterValue("MessageGroupId has 1 to 128 characters.".to_owned()));
    }
    if let Some(unknown) = input.message_system_attributes.keys().find(|name| *name != "AWSTraceHeader") {
        return Err(SqsError::InvalidParameterValue(format!(
            "Message system attribute name '{unknown}' is invalid."
        )));
    }
    let delay = input.delay_seconds.unwrap_or_else(|| queue.number("DelaySeconds"));
    in_range("DelaySeconds", delay, MAX_DELAY_SECONDS)?;
    let trace_header =
        input.message_system_attributes.get("AWSTraceHeader").and_then(|trace| trace.string_value.clone());
    let attributes = serde_json::to_string(&input.message_attributes)
        .map_err(|error| SqsError::Internal(error.to_string()))?;
    let (message_id, now) = (uuid::Uuid::new_v4().to_string(), now_ms());
    let sql = "INSERT INTO messages (queue, message_id, body, attributes, trace_header, group_id, sent_at, visible_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    transaction.prepare_cached(sql)?.execute((
        queue.id,
        &message_id,
        &input.message_body,
        attributes,
        trace_header,
        &input.message_group_id,
        now,
        now + delay * 1000,
    ))?;
    let mut sent =
        json!({"MessageId": message_id, "MD5OfMessageBody": messages::md5_of_body(&input.message_body)});
    if let Some(md5) = messages::md5_of_attributes(&input.message_attributes) {
        sent["MD5OfMessageAttributes"] = json!(md5);
    }
    if let Some(md5) = messages::md5_of_attributes(&input.message_system_attributes) {
        sent["MD5OfMessageSystemAttributes"] = json!(md5);
    }
    Ok(sent)
}

/// Only the latest receipt of a message deletes it; an older one changes nothing, and is no error.
fn delete(transaction: &Transaction<'_>, queue: &Queue, receipt_handle: &str) -> Result<Value, SqsError> {
    let receipt = Receipt::parse(receipt_handle)?;
    let sql = "DELETE FROM messages WHERE id = ? AND queue = ? AND receipt = ?";
    transaction.prepare_cached(sql)?.execute((receipt.message, queue.id, receipt.nonce))?;
    Ok(json!({}))
}

fn change_visibility(
    transaction: &Transaction<'_>,
    queue: &Queue,
    input: &ChangeVisibility,
) -> Result<Value, SqsError> {
    let receipt = Receipt::parse(&input.receipt_handle)?;
    in_range("VisibilityTimeout", input.visibility_timeout, MAX_VISIBILITY_SECONDS)?;
    let now = now_ms();
    let sql =
        "UPDATE messages SET visible_at = ? WHERE id = ? AND queue = ? AND receipt = ? AND visible_at > ?";
    let visible_at = now + input.visibility_timeout * 1000;
    let changed = transaction.prepare_cached(sql)?.execute((
        visible_at,
        receipt.message,
        queue.id,
        receipt.nonce,
        now,
    ))?;
    if changed == 0 { Err(SqsError::MessageNotInflight) } else { Ok(json!({})) }
}

pub(crate) fn in_range(name: &str, value: i64, most: i64) -> Result<(), SqsError> {
    if (0..=most).contains(&value) {
        return Ok(());
    }
    let message =
        format!("Value {value} for parameter {name} is invalid. Reason: Must be between 0 and {most}.");
    Err(SqsError::InvalidParameterValue(message))
}
