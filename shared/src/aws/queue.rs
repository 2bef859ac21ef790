//! The queue, over SQS. Every entry of a batch's answer is looked at, and AWS's types stop here.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::aws::{AwsClients, causes};
use crate::execution::destinations::QueueArn;
use crate::limits;
use crate::process::config::SharedConfig;
use crate::process::metrics::{AWS_BATCH_MESSAGES, AWS_REFUSED_ENTRIES};

mod attributes;
mod batcher;
mod event;
mod messages;

pub use self::attributes::{Attribute, Depth, QueueLimits};
use self::attributes::{string_attribute, trace_header};
pub use self::batcher::{SendBatcher, SendError};
pub use self::messages::{Message, OutgoingMessage};

/// A call to SQS failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("SQS {operation} failed: {detail}")]
pub struct QueueError {
    operation: &'static str,
    detail: String,
}

/// A message did not get to another queue.
#[derive(Debug, thiserror::Error)]
pub enum ElsewhereError {
    /// There is none, or none that we may send to, and there won't be.
    #[error("can't send to {0}: {1}; create the queue, and allow the workers sqs:SendMessage to it")]
    NoQueue(String, String),
    /// It may work later.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// The errors of SQS that say so, by their names in JSON and in its older protocol.
const NO_QUEUE: [&str; 8] = [
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "AccessDenied",
    "AccessDeniedException",
    "InvalidAddress",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "MissingParameter",
];

/// SQS refused one entry of a batch.
#[derive(Debug, Clone, thiserror::Error)]
#[error("SQS refused the entry: {code}: {message}")]
pub struct EntryError {
    /// SQS's error code.
    pub code: String,
    /// SQS's explanation.
    pub message: String,
    /// Whether the entry itself is wrong, so that it would be refused again.
    pub sender_fault: bool,
}

/// What became of one entry of a batch.
pub type EntryResult<T = ()> = Result<T, EntryError>;

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

    /// The dead-letter queue, as a queue like any other.
    pub(crate) fn dead_letters(&self) -> Self {
        Self { url: self.dead_letter_url.clone(), ..self.clone() }
    }

    /// The queue's name.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Waits up to `wait` (at most 20 s) for at most `most` messages (1 to 10), invisible for `visibility`.
    pub async fn receive(
        &self,
        most: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        let output = self
            .receiving
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(most.clamp(1, limits::SQS_BATCH) as i32)
            .wait_time_seconds(seconds(wait))
            .visibility_timeout(seconds(visibility))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|error| failed("ReceiveMessage", &error))?;
        let messages = output.messages.unwrap_or_default();
        count_messages("ReceiveMessage", messages.len());
        Ok(messages.into_iter().filter_map(Message::from_sqs).collect())
    }

    /// Sends up to ten messages in one call; answers each with its `MessageId`.
    pub async fn send_batch(
        &self,
        messages: &[OutgoingMessage],
    ) -> Result<Vec<EntryResult<String>>, QueueError> {
        let mut entries = vec![];
        for (index, message) in messages.iter().enumerate() {
            let mut entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&message.body)
                .delay_seconds(seconds(message.delay))
                .message_group_id(&message.group_id);
            for (name, text) in message.attributes() {
                entry = entry.message_attributes(name, string_attribute("SendMessageBatch", &text)?);
            }
            if let Some((name, value)) = trace_header("SendMessageBatch", &message.trace)? {
                entry = entry.message_system_attributes(name, value);
            }
            entries.push(entry.build());
        }
        let output = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(built("SendMessageBatch", entries.into_iter())?))
            .send()
            .await
            .map_err(|error| failed("SendMessageBatch", &error))?;
        let sent = output.successful.into_iter().map(|entry| (entry.id, entry.message_id));
        Ok(by_index("SendMessageBatch", messages.len(), sent, output.failed))
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
        Ok(by_index("DeleteMessageBatch", receipt_handles.len(), deleted, output.failed))
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
        Ok(by_index("ChangeMessageVisibilityBatch", changes.len(), changed, output.failed))
    }

    /// Sends a copy of a received message to this queue, with `body` in place of its own if that is given, and with
    /// attributes of ours beside those it came with.
    pub(crate) async fn send_copy(
        &self,
        message: &Message,
        body: Option<&str>,
        own: &[(&str, String)],
    ) -> Result<(), QueueError> {
        const OPERATION: &str = "SendMessage";
        let attributes = message.copied_attributes(own)?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body.unwrap_or(&message.body))
            .set_message_attributes(Some(attributes.into_iter().collect()))
            .set_message_system_attributes(
                trace_header(OPERATION, &message.trace)?.map(|header| [header].into()),
            )
            .send()
            .await
            .map_err(|error| failed(OPERATION, &error))?;
        Ok(())
    }

    /// How many messages the queue holds.
    pub async fn depth(&self) -> Result<Depth, QueueError> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as Held,
        };
        let attributes = self.attributes(&[Visible, Held, Delayed]).await?;
        let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Depth { visible: number(Visible), held: number(Held), delayed: number(Delayed) })
    }

    /// What is set for the queue.
    pub async fn limits(&self) -> Result<QueueLimits, QueueError> {
        let asked = [QueueAttributeName::RedrivePolicy, QueueAttributeName::MessageRetentionPeriod];
        let attributes = self.attributes(&asked).await?;
        let retention =
            attributes.get(&QueueAttributeName::MessageRetentionPeriod).and_then(|text| text.parse().ok());
        Ok(QueueLimits {
            max_receives: attributes
                .get(&QueueAttributeName::RedrivePolicy)
                .and_then(attributes::max_receives),
            retention: retention.map_or(limits::SQS_RETENTION, Duration::from_secs),
        })
    }

    /// The queue's ARN.
    ///
    /// # Errors
    /// When SQS fails, or does not tell.
    pub async fn arn(&self) -> Result<String, QueueError> {
        let mut attributes = self.attributes(&[QueueAttributeName::QueueArn]).await?;
        let arn = attributes.remove(&QueueAttributeName::QueueArn);
        arn.ok_or_else(|| unfit("GetQueueAttributes", &"the answer has no QueueArn"))
    }

    /// Asks whether the queue is there and may be used.
    pub async fn check(&self) -> Result<(), QueueError> {
        self.attributes(&[QueueAttributeName::QueueArn]).await?;
        Ok(())
    }

    /// Sends `body` to another queue, by its ARN, with these attributes.
    ///
    /// # Errors
    /// When there is no such queue for us, or SQS fails.
    pub async fn send_elsewhere(
        &self,
        arn: &str,
        body: &str,
        attributes: &[Attribute<'_>],
    ) -> Result<(), ElsewhereError> {
        let no_queue = |why: &str| ElsewhereError::NoQueue(arn.to_owned(), why.to_owned());
        let url = QueueArn::parse(arn).and_then(|arn| arn.url(&self.url));
        let url = url.ok_or_else(|| no_queue("it is no ARN of a queue"))?;
        let mut send = self.client.send_message().queue_url(url).message_body(body);
        for attribute in attributes {
            send = send.message_attributes(attribute.name, attribute.value("SendMessage")?);
        }
        let sent = send.send().await;
        sent.map(|_| ()).map_err(|error| match error.code() {
            Some(code) if NO_QUEUE.contains(&code) => no_queue(code),
            _ => ElsewhereError::Queue(failed("SendMessage", &error)),
        })
    }

    async fn attributes(
        &self,
        names: &[QueueAttributeName],
    ) -> Result<HashMap<QueueAttributeName, String>, QueueError> {
        let call = self.client.get_queue_attributes().queue_url(&self.url);
        let output = call.set_attribute_names(Some(names.to_vec())).send().await;
        let output = output.map_err(|error| failed("GetQueueAttributes", &error))?;
        Ok(output.attributes.unwrap_or_default())
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn failed(operation: &'static str, error: &(impl std::error::Error + 'static)) -> QueueError {
    QueueError { operation, detail: causes(error) }
}

/// What was to be sent can't be put as SQS has it.
fn unfit(operation: &'static str, error: &dyn std::fmt::Display) -> QueueError {
    QueueError { operation, detail: error.to_string() }
}

fn built<T, E: std::fmt::Display>(
    operation: &'static str,
    entries: impl Iterator<Item = Result<T, E>>,
) -> Result<Vec<T>, QueueError> {
    entries.collect::<Result<_, E>>().map_err(|error| unfit(operation, &error))
}

fn count_messages(operation: &'static str, messages: usize) {
    AWS_BATCH_MESSAGES.record([operation], u32::try_from(messages).unwrap_or(u32::MAX));
}

/// Answers in the order of the entries, whose ids are their indexes. An entry that the answer does not name
/// counts as failed.
fn by_index<T>(
    operation: &'static str,
    entries: usize,
    successful: impl Iterator<Item = (String, T)>,
    failed: Vec<BatchResultErrorEntry>,
) -> Vec<EntryResult<T>> {
    let mut results: Vec<EntryResult<T>> = (0..entries)
        .map(|_| {
            Err(EntryError {
                code: "Missing".to_owned(),
                message: "the answer does not name this entry".to_owned(),
                sender_fault: false,
            })
        })
        .collect();
    let failed = failed.into_iter().map(|entry| {
        let message = entry.message.unwrap_or_default();
        (entry.id, Err(EntryError { code: entry.code, message, sender_fault: entry.sender_fault }))
    });
    for (id, result) in successful.map(|(id, value)| (id, Ok(value))).chain(failed) {
        if let Some(place) = id.parse().ok().and_then(|index: usize| results.get_mut(index)) {
            *place = result;
        }
    }
    count_messages(operation, entries);
    let refused = results.iter().filter(|result| result.is_err()).count();
    if refused > 0 {
        AWS_REFUSED_ENTRIES.add([operation], refused as u64);
    }
    results
}
