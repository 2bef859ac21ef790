//! The queue, over SQS. Every entry of a batch's answer is looked at, and AWS's types stop here.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageAttributeValue, MessageSystemAttributeName, SendMessageBatchRequestEntry,
};

use crate::aws::{AwsClients, causes};
use crate::config::SharedConfig;
use crate::limits;
use crate::message::{FUNCTION_ATTRIBUTE, Received};
use crate::timestamp::Timestamp;

/// The attribute of a dead-lettered message that says why it is there.
pub const REASON_ATTRIBUTE: &str = "badlambda_reason";
const MAX_ATTRIBUTES: usize = 10;
const MAX_REASON_CHARS: usize = 1024;

/// A call to SQS failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("SQS {operation} failed: {detail}")]
pub struct QueueError {
    operation: &'static str,
    detail: String,
}

/// SQS refused one entry of a batch.
#[derive(Debug, Clone, thiserror::Error)]
#[error("SQS refused the entry: {code}: {message}")]
pub struct EntryError {
    /// SQS's error code.
    pub code: String,
    /// SQS's explanation.
    pub message: String,
}

/// What became of one entry of a batch.
pub type EntryResult<T = ()> = Result<T, EntryError>;

/// A message to send.
#[derive(Clone, Debug)]
pub struct OutgoingMessage {
    /// The body.
    pub body: String,
    /// Messages of one group share the queue fairly with those of others.
    pub group_id: String,
}

/// A message as received, invisible to others until its visibility timeout ends.
#[derive(Clone, Debug)]
pub struct Message {
    /// SQS's id of the message.
    pub message_id: String,
    /// By which this receive is deleted or given back.
    pub receipt_handle: String,
    /// The body.
    pub body: String,
    /// When SQS took it.
    pub sent_at: Timestamp,
    /// How often it was received, this time included.
    pub receive_count: u32,
    attributes: BTreeMap<String, MessageAttributeValue>,
}

impl Message {
    /// The message as far as it matters to what it asks for.
    pub fn received(&self) -> Received<'_> {
        Received {
            message_id: &self.message_id,
            body: &self.body,
            function: self.attribute(FUNCTION_ATTRIBUTE),
            sent_at: self.sent_at,
        }
    }

    /// The text of a message attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }
}

/// The queue and its dead-letter queue.
#[derive(Clone, Debug)]
pub struct Queue {
    receiving: Client,
    client: Client,
    url: String,
    dead_letter_url: String,
}

impl Queue {
    /// The queue that `config` names.
    pub fn new(aws: &AwsClients, config: &SharedConfig) -> Self {
        Self {
            receiving: aws.sqs_for_receiving(),
            client: aws.sqs_for_the_rest(),
            url: config.queue_url.clone(),
            dead_letter_url: config.dead_letter_queue_url.clone(),
        }
    }

    /// Waits up to SQS's longest poll for at most `most` messages (1 to 10), invisible for `visibility`.
    pub async fn receive(&self, most: usize, visibility: Duration) -> Result<Vec<Message>, QueueError> {
        let output = self
            .receiving
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(most.clamp(1, limits::SQS_BATCH) as i32)
            .wait_time_seconds(limits::SQS_WAIT.as_secs() as i32)
            .visibility_timeout(seconds(visibility))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|error| failed("ReceiveMessage", &error))?;
        Ok(output.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    /// Sends up to ten messages in one call; answers each with its `MessageId`.
    pub async fn send_batch(
        &self,
        messages: &[OutgoingMessage],
    ) -> Result<Vec<EntryResult<String>>, QueueError> {
        let entries = messages.iter().enumerate().map(|(index, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&message.body)
                .message_group_id(&message.group_id)
                .build()
        });
        let output = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(built("SendMessageBatch", entries)?))
            .send()
            .await
            .map_err(|error| failed("SendMessageBatch", &error))?;
        let sent = output.successful.into_iter().map(|entry| (entry.id, entry.message_id));
        Ok(by_index(messages.len(), sent, output.failed))
    }

    /// Deletes up to ten received messages.
    pub async fn delete_batch(&self, receipt_handles: &[String]) -> Result<Vec<EntryResult>, QueueError> {
        let entries = receipt_handles.iter().enumerate().map(|(index, handle)| {
            DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(handle).build()
        });
        let output = self
            .client
            .delete_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(built("DeleteMessageBatch", entries)?))
            .send()
            .await
            .map_err(|error| failed("DeleteMessageBatch", &error))?;
        let deleted = output.successful.into_iter().map(|entry| (entry.id, ()));
        Ok(by_index(receipt_handles.len(), deleted, output.failed))
    }

    /// Sets how long up to ten received messages stay invisible from now on; nothing gives them back at once.
    pub async fn change_visibility_batch(
        &self,
        changes: &[(String, Duration)],
    ) -> Result<Vec<EntryResult>, QueueError> {
        let entries = changes.iter().enumerate().map(|(index, (handle, visibility))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .visibility_timeout(seconds(*visibility))
                .build()
        });
        let output = self
            .client
            .change_message_visibility_batch()
            .queue_url(&self.url)
            .set_entries(Some(built("ChangeMessageVisibilityBatch", entries)?))
            .send()
            .await
            .map_err(|error| failed("ChangeMessageVisibilityBatch", &error))?;
        let changed = output.successful.into_iter().map(|entry| (entry.id, ()));
        Ok(by_index(changes.len(), changed, output.failed))
    }

    /// Copies a received message to the dead-letter queue with the reason as an attribute. The message itself
    /// is still to be deleted.
    pub async fn copy_to_dead_letters(&self, message: &Message, reason: &str) -> Result<(), QueueError> {
        let mut attributes = message.attributes.clone();
        let mut surplus = (attributes.len() + 1).saturating_sub(MAX_ATTRIBUTES);
        attributes.retain(|name, _| {
            let kept = surplus == 0 || name == FUNCTION_ATTRIBUTE;
            surplus -= usize::from(!kept);
            kept
        });
        // It may quote a producer, and SQS takes only what XML has.
        let accepted = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        let reason: String = reason.chars().filter(accepted).take(MAX_REASON_CHARS).collect();
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason)
            .build()
            .map_err(|error| QueueError { operation: "SendMessage", detail: error.to_string() })?;
        attributes.insert(REASON_ATTRIBUTE.to_owned(), value);
        self.client
            .send_message()
            .queue_url(&self.dead_letter_url)
            .message_body(&message.body)
            .set_message_attributes(Some(attributes.into_iter().collect()))
            .send()
            .await
            .map_err(|error| failed("SendMessage", &error))?;
        Ok(())
    }

    /// Asks whether the queue is there and may be used.
    pub async fn check(&self) -> Result<(), QueueError> {
        self.client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(aws_sdk_sqs::types::QueueAttributeName::QueueArn)
            .send()
            .await
            .map_err(|error| failed("GetQueueAttributes", &error))?;
        Ok(())
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn failed(operation: &'static str, error: &(impl std::error::Error + 'static)) -> QueueError {
    QueueError { operation, detail: causes(error) }
}

fn built<T, E: std::fmt::Display>(
    operation: &'static str,
    entries: impl Iterator<Item = Result<T, E>>,
) -> Result<Vec<T>, QueueError> {
    entries.collect::<Result<_, E>>().map_err(|error| QueueError { operation, detail: error.to_string() })
}

/// Answers in the order of the entries, whose ids are their indexes. An entry that the answer does not name
/// counts as failed.
fn by_index<T>(
    entries: usize,
    successful: impl Iterator<Item = (String, T)>,
    failed: Vec<BatchResultErrorEntry>,
) -> Vec<EntryResult<T>> {
    let mut results: Vec<EntryResult<T>> = (0..entries)
        .map(|_| {
            Err(EntryError {
                code: "Missing".to_owned(),
                message: "the answer does not name this entry".to_owned(),
            })
        })
        .collect();
    let failed = failed.into_iter().map(|entry| {
        let message = entry.message.unwrap_or_default();
        (entry.id, Err(EntryError { code: entry.code, message }))
    });
    for (id, result) in successful.map(|(id, value)| (id, Ok(value))).chain(failed) {
        if let Some(place) = id.parse().ok().and_then(|index: usize| results.get_mut(index)) {
            *place = result;
        }
    }
    results
}

fn message(message: aws_sdk_sqs::types::Message) -> Option<Message> {
    let system = message.attributes.unwrap_or_default();
    let number = |name| system.get(&name).and_then(|text| text.parse::<i64>().ok());
    let sent_at = number(MessageSystemAttributeName::SentTimestamp)
        .and_then(Timestamp::from_unix_ms)
        .unwrap_or_else(Timestamp::now);
    let receive_count = number(MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
    Some(Message {
        message_id: message.message_id?,
        receipt_handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        sent_at,
        receive_count: receive_count.try_into().unwrap_or(1),
        attributes: message.message_attributes.unwrap_or_default().into_iter().collect(),
    })
}
