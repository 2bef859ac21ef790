//! Messages, to send and as received.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};

use super::QueueError;
use super::attributes::{STRING_TYPE, string_attribute};
use crate::execution::history::AttemptHistory;
use crate::execution::message::{FUNCTION_ATTRIBUTE, Received};
use crate::execution::trace::{TRACEPARENT, Trace};
use crate::timestamp::Timestamp;

/// Attributes with this prefix are ours, and stay behind when a message is copied.
pub(super) const OWN_PREFIX: &str = "badlambda_";
/// What earlier deliveries came to: an [`AttemptHistory`], as JSON.
const HISTORY_ATTRIBUTE: &str = "badlambda_history";
const MAX_ATTRIBUTES: usize = 10;

/// A message to send.
#[derive(Clone, Debug)]
pub struct OutgoingMessage {
    /// The body.
    pub body: String,
    /// Messages of one group share the queue fairly with those of others.
    pub group_id: String,
    /// How long SQS keeps it from everyone: at most 15 minutes.
    pub delay: Duration,
    /// What earlier deliveries came to; `None` for a new message.
    pub history: Option<AttemptHistory>,
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

    pub(super) fn attributes(&self) -> Vec<(&'static str, String)> {
        let history = self.history.as_ref().map(|history| (HISTORY_ATTRIBUTE, history.to_json()));
        let traceparent = self.trace.traceparent().map(|text| (TRACEPARENT, text.to_owned()));
        history.into_iter().chain(traceparent).collect()
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
    /// What earlier deliveries of its originals came to, as the message says.
    pub carried: AttemptHistory,
    /// The queue that SQS itself took it from, where it did.
    pub moved_from: Option<String>,
    /// The trace that its attributes name.
    pub trace: Trace,
    pub(super) attributes: BTreeMap<String, MessageAttributeValue>,
    /// What SQS itself says of it.
    pub(super) system: HashMap<MessageSystemAttributeName, String>,
    /// Of the body, as SQS says.
    pub(super) md5: Option<String>,
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

    /// The text of a message attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }

    /// The attributes that a copy has: its own, as far as there is room beside these of ours.
    pub(super) fn copied_attributes(
        &self,
        own: &[(&str, String)],
    ) -> Result<HashMap<String, MessageAttributeValue>, QueueError> {
        let mut attributes = self.attributes.clone();
        attributes.retain(|name, _| !name.starts_with(OWN_PREFIX));
        let mut surplus = (attributes.len() + own.len()).saturating_sub(MAX_ATTRIBUTES);
        attributes.retain(|name, _| {
            let kept = surplus == 0 || name == FUNCTION_ATTRIBUTE;
            surplus -= usize::from(!kept);
            kept
        });
        for (name, text) in own {
            attributes.insert((*name).to_owned(), string_attribute("SendMessage", text)?);
        }
        Ok(attributes.into_iter().collect())
    }

    /// The size of a copy with these attributes of ours; SQS counts attributes towards its ceiling.
    pub(crate) fn copy_bytes(&self, own: &[(&str, String)]) -> usize {
        let theirs = self.attributes.iter().map(|(name, value)| {
            let text = value.string_value().map_or(0, str::len);
            let bytes = value.binary_value().map_or(0, |bytes| bytes.as_ref().len());
            name.len() + value.data_type().len() + text + bytes
        });
        let ours = own.iter().map(|(name, text)| name.len() + STRING_TYPE.len() + text.len());
        self.body.len() + theirs.chain(ours).sum::<usize>()
    }

    /// As SQS has handed it out.
    pub(super) fn from_sqs(message: aws_sdk_sqs::types::Message) -> Option<Self> {
        let system = message.attributes.unwrap_or_default();
        let number = |name| system.get(&name).and_then(|text| text.parse::<i64>().ok());
        let sent_at = number(MessageSystemAttributeName::SentTimestamp)
            .and_then(Timestamp::from_unix_ms)
            .unwrap_or_else(Timestamp::now);
        let receive_count = number(MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
        let attributes: BTreeMap<_, _> = message.message_attributes.unwrap_or_default().into_iter().collect();
        let text = |name| attributes.get(name).and_then(|value: &MessageAttributeValue| value.string_value());
        let carried = AttemptHistory::read(text(HISTORY_ATTRIBUTE));
        let xray = system.get(&MessageSystemAttributeName::AwsTraceHeader).map(String::as_str);
        let trace = Trace::read(text(TRACEPARENT), xray);
        let moved_from = system.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn);
        let moved_from = moved_from.and_then(|arn| arn.rsplit(':').next()).map(str::to_owned);
        Some(Self {
            message_id: message.message_id?,
            receipt_handle: message.receipt_handle?,
            body: message.body.unwrap_or_default(),
            sent_at,
            receive_count: receive_count.try_into().unwrap_or(1),
            carried,
            moved_from,
            trace,
            attributes,
            system,
            md5: message.md5_of_body,
        })
    }
}
