//! A message as it is stored, and as a receive answers it.

use rusqlite::Row;
use serde_json::{Map, Value, json};

use super::messages::{self, Attributes};
use super::queues::ACCOUNT;
use super::receipt::Receipt;
use super::requests::Receive;

/// A row of the table.
pub(crate) struct Stored {
    pub(crate) id: i64,
    message_id: String,
    body: String,
    attributes: Attributes,
    trace_header: Option<String>,
    group_id: Option<String>,
    sent_at: i64,
    first_received_at: Option<i64>,
    receives: i64,
    dead_letter_source: Option<String>,
}

impl Stored {
    /// What [`Stored::read`] reads, in this order.
    pub(crate) const COLUMNS: &str = "id, message_id, body, attributes, trace_header, group_id, sent_at, \
                                      first_received_at, receives, dead_letter_source";

    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let attributes: String = row.get(3)?;
        Ok(Self {
            id: row.get(0)?,
            message_id: row.get(1)?,
            body: row.get(2)?,
            attributes: serde_json::from_str(&attributes).unwrap_or_default(),
            trace_header: row.get(4)?,
            group_id: row.get(5)?,
            sent_at: row.get(6)?,
            first_received_at: row.get(7)?,
            receives: row.get(8)?,
            dead_letter_source: row.get(9)?,
        })
    }

    /// The message in an answer to `input`, now received once more.
    pub(crate) fn message(self, input: &Receive, receipt: &Receipt, now: i64) -> Value {
        let mut message = json!({
            "MessageId": self.message_id,
            "ReceiptHandle": receipt.handle(),
            "MD5OfBody": messages::md5_of_body(&self.body),
        });
        let system = self.system_attributes(input, now);
        if !system.is_empty() {
            message["Attributes"] = Value::Object(system);
        }
        let mut attributes = self.attributes;
        attributes.retain(|name, _| messages::is_wanted(name, &input.message_attribute_names));
        if let Some(md5) = messages::md5_of_attributes(&attributes) {
            message["MD5OfMessageAttributes"] = json!(md5);
            message["MessageAttributes"] = json!(attributes);
        }
        message["Body"] = Value::String(self.body);
        message
    }

    fn system_attributes(&self, input: &Receive, now: i64) -> Map<String, Value> {
        let all = [
            ("SenderId", Some(ACCOUNT.to_owned())),
            ("SentTimestamp", Some(self.sent_at.to_string())),
            ("ApproximateReceiveCount", Some((self.receives + 1).to_string())),
            ("ApproximateFirstReceiveTimestamp", Some(self.first_received_at.unwrap_or(now).to_string())),
            ("MessageGroupId", self.group_id.clone()),
            ("AWSTraceHeader", self.trace_header.clone()),
            ("DeadLetterQueueSourceArn", self.dead_letter_source.clone()),
        ];
        let is_wanted = |name: &str| {
            let mut wishes = input.message_system_attribute_names.iter().chain(&input.attribute_names);
            wishes.any(|wish| wish == "All" || wish == name)
        };
        let there = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let wanted = there.filter(|(name, _)| is_wanted(name));
        wanted.map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
    }
}
