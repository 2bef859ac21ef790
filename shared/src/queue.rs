//! The queue, over SQS. Every entry of a batch's answer is looked at, and AWS's types stop here.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::aws::{AwsClients, causes};
use crate::config::SharedConfig;
use crate::limits;
use crate::message::{FUNCTION_ATTRIBUTE, Received};
use crate::timestamp::Timestamp;
use crate::trace::{TRACEPARENT, Trace};

/// Attributes with this prefix are ours, and stay behind when a message is copied.
const OWN_PREFIX: &str = "badlambda_";
/// How often an earlier copy of this message was received.
const RECEIVES_ATTRIBUTE: &str = "badlambda_receives";
const MAX_ATTRIBUTES: usize = 10;
const STRING_TYPE: &str = "String";

/// A call to SQS failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("SQS {operation} failed: {detail}")]
pub struct QueueError {
    operation: &'static str,
    detail: String,
}

/// How many messages a queue holds, as far as SQS knows: its counts are behind by up to a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Waiting to be received.
    pub visible: u64,
    /// Received, and not deleted.
    pub held: u64,
    /// Not to be received yet.
    pub delayed: u64,
}

/// What is set for a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// How often a message may be received before SQS itself moves it to the dead-letter queue; `None` for ever.
    pub max_receives: Option<u32>,
    /// How long a message may stay in the queue.
    pub retention: Duration,
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
    /// How often an earlier copy of it was received; 0 for a new message.
    pub receives: u32,
    /// The trace it belongs to.
    pub trace: Trace,
}

impl OutgoingMessage {
    /// Its size as SQS counts it: with its attributes.
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes();
        let bytes = |(name, text): &(&str, String)| name.len() + STRING_TYPE.len() + text.len();
        self.body.len() + attributes.iter().map(bytes).sum::<usize>()
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let receives = (self.receives > 0).then(|| (RECEIVES_ATTRIBUTE, self.receives.to_string()));
        let traceparent = self.trace.traceparent().map(|text| (TRACEPARENT, text.to_owned()));
        receives.into_iter().chain(traceparent).collect()
    }
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
    /// How often SQS has handed it out, this time included.
    pub receive_count: u32,
    /// How often earlier copies of it were received.
    pub receives_before: u32,
    /// The queue that SQS itself took it from, where it did.
    pub moved_from: Option<String>,
    /// The trace that its attributes name.
    pub trace: Trace,
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
            trace: &self.trace,
        }
    }

    /// How often it was received in all, this time included.
    pub fn receives(&self) -> u32 {
        self.receives_before.saturating_add(self.receive_count)
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
        Ok(output.messages.unwrap_or_default().into_iter().filter_map(message).collect())
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

    /// Sends a copy of a received message to this queue, with `body` in place of its own if that is given, and with
    /// attributes of ours beside those it came with.
    pub(crate) async fn send_copy(
        &self,
        message: &Message,
        body: Option<&str>,
        own: &[(&str, String)],
    ) -> Result<(), QueueError> {
        const OPERATION: &str = "SendMessage";
        let mut attributes = message.attributes.clone();
        attributes.retain(|name, _| !name.starts_with(OWN_PREFIX));
        let mut surplus = (attributes.len() + own.len()).saturating_sub(MAX_ATTRIBUTES);
        attributes.retain(|name, _| {
            let kept = surplus == 0 || name == FUNCTION_ATTRIBUTE;
            surplus -= usize::from(!kept);
            kept
        });
        for (name, text) in own {
            attributes.insert((*name).to_owned(), string_attribute(OPERATION, text)?);
        }
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

    /// How a copy's size compares to that of the body alone, in bytes; SQS counts attributes towards its ceiling.
    pub(crate) fn copy_bytes(message: &Message, own: &[(&str, String)]) -> usize {
        let theirs = message.attributes.iter().map(|(name, value)| {
            let text = value.string_value().map_or(0, str::len);
            let bytes = value.binary_value().map_or(0, |bytes| bytes.as_ref().len());
            name.len() + value.data_type().len() + text + bytes
        });
        let ours = own.iter().map(|(name, text)| name.len() + STRING_TYPE.len() + text.len());
        message.body.len() + theirs.chain(ours).sum::<usize>()
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
            max_receives: attributes.get(&QueueAttributeName::RedrivePolicy).and_then(max_receives),
            retention: retention.map_or(limits::SQS_RETENTION, Duration::from_secs),
        })
    }

    /// Asks whether the queue is there and may be used.
    pub async fn check(&self) -> Result<(), QueueError> {
        self.attributes(&[QueueAttributeName::QueueArn]).await?;
        Ok(())
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

/// AWS writes the number as a number or as a string.
fn max_receives(policy: impl AsRef<str>) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(policy.as_ref()).ok()?;
    let most = &policy["maxReceiveCount"];
    let number = most.as_u64().or_else(|| most.as_str()?.parse().ok());
    number.and_then(|number| u32::try_from(number).ok())
}

/// A string attribute, without what SQS does not take: it has only what XML has, and nothing empty.
fn string_attribute(operation: &'static str, text: &str) -> Result<MessageAttributeValue, QueueError> {
    let accepted = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(accepted).collect();
    let text = if text.is_empty() { "-".to_owned() } else { text };
    MessageAttributeValue::builder()
        .data_type(STRING_TYPE)
        .string_value(text)
        .build()
        .map_err(|error| QueueError { operation, detail: error.to_string() })
}

/// X-Ray's header as a system attribute, which SQS counts towards no ceiling.
fn trace_header(
    operation: &'static str,
    trace: &Trace,
) -> Result<Option<(MessageSystemAttributeNameForSends, MessageSystemAttributeValue)>, QueueError> {
    let Some(header) = trace.xray() else { return Ok(None) };
    let value = MessageSystemAttributeValue::builder().data_type(STRING_TYPE).string_value(header).build();
    let value = value.map_err(|error| QueueError { operation, detail: error.to_string() })?;
    Ok(Some((MessageSystemAttributeNameForSends::AwsTraceHeader, value)))
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
    let attributes: BTreeMap<_, _> = message.message_attributes.unwrap_or_default().into_iter().collect();
    let text = |name| attributes.get(name).and_then(|value: &MessageAttributeValue| value.string_value());
    let before = text(RECEIVES_ATTRIBUTE);
    let xray = system.get(&MessageSystemAttributeName::AwsTraceHeader).map(String::as_str);
    let trace = Trace::read(text(TRACEPARENT), xray);
    let moved_from = system.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn);
    Some(Message {
        message_id: message.message_id?,
        receipt_handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        sent_at,
        receive_count: receive_count.try_into().unwrap_or(1),
        receives_before: before.and_then(|text| text.parse().ok()).unwrap_or(0),
        moved_from: moved_from.and_then(|arn| arn.rsplit(':').next()).map(str::to_owned),
        trace,
        attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_tells_the_most_receives() {
        assert_eq!(max_receives(r#"{"deadLetterTargetArn":"a","maxReceiveCount":10}"#), Some(10));
        assert_eq!(max_receives(r#"{"maxReceiveCount":"3"}"#), Some(3));
        assert_eq!(max_receives("nonsense"), None);
    }

    #[test]
    fn an_attribute_holds_what_sqs_takes() {
        let text = |given| string_attribute("SendMessage", given).unwrap().string_value.unwrap();
        assert_eq!(text("a\u{0}b\u{ffff}\n"), "ab");
        assert_eq!(text(""), "-");
    }
}
