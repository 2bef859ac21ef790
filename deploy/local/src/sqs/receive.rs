//! Receiving: what is visible at once, else a wait that a new message, a delay's end or a visibility's end cuts short.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{OptionalExtension, Row, Transaction};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::actions::in_range;
use super::messages::{self, Attributes};
use super::queues::{ACCOUNT, Queue};
use super::{Sqs, SqsError, now_ms};

const MAX_MESSAGES: i64 = 10;
const MAX_WAIT_SECONDS: i64 = 20;
const MAX_VISIBILITY_SECONDS: i64 = 43_200;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Receive {
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    /// The older name of the same.
    #[serde(default)]
    attribute_names: Vec<String>,
}

/// What a receipt handle says: which message, and which of its receives.
pub(crate) struct Receipt {
    pub(crate) message: i64,
    pub(crate) nonce: String,
}

impl Receipt {
    pub(crate) fn parse(handle: &str) -> Result<Self, SqsError> {
        let parse = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
            let (message, nonce) = text.split_once(':')?;
            Some(Self { message: message.parse().ok()?, nonce: nonce.to_owned() })
        };
        parse().ok_or(SqsError::ReceiptHandleIsInvalid)
    }

    fn handle(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.message, self.nonce))
    }
}

/// What one look at the queue found.
struct Look {
    messages: Vec<Value>,
    /// How long until the next message becomes visible by itself.
    next_due: Option<Duration>,
    default_wait: i64,
    dead_lettered_to: Option<String>,
}

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
        let mut changes = self.change(&queue).subscribe();
        loop {
            changes.mark_unchanged();
            let (name, wishes) = (queue.clone(), input.clone());
            let look = self.database.call(move |transaction| look(transaction, &name, &wishes, most)).await?;
            if let Some(dead_letters) = look.dead_lettered_to {
                self.wake(&dead_letters);
            }
            let wait =
                Duration::from_secs(input.wait_time_seconds.unwrap_or(look.default_wait).unsigned_abs());
            let left = wait.saturating_sub(started.elapsed());
            if !look.messages.is_empty() || left.is_zero() || stop.is_cancelled() {
                return Ok(if look.messages.is_empty() {
                    json!({})
                } else {
                    json!({"Messages": look.messages})
                });
            }
            // Whoever waits here and hangs up is dropped here, before a message is taken for them.
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(look.next_due.map_or(left, |due| due.min(left))) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

fn look(transaction: &Transaction<'_>, name: &str, input: &Receive, most: i64) -> Result<Look, SqsError> {
    let queue = Queue::find(transaction, name)?;
    let now = now_ms();
    let expired_before = now - queue.number("MessageRetentionPeriod") * 1000;
    let expire = "DELETE FROM messages WHERE queue = ? AND sent_at < ?";
    transaction.prepare_cached(expire)?.execute((queue.id, expired_before))?;
    let dead_lettered_to = redrive(transaction, &queue, now)?;

    let visible = "SELECT id, message_id, body, attributes, trace_header, group_id, sent_at, first_received_at, receives, \
                   dead_letter_source FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?";
    let mut statement = transaction.prepare_cached(visible)?;
    let found = statement.query_map((queue.id, now, most), Stored::read)?.collect::<Result<Vec<_>, _>>()?;
    let visibility = input.visibility_timeout.unwrap_or_else(|| queue.number("VisibilityTimeout"));
    let take = "UPDATE messages SET visible_at = ?, receives = receives + 1, receipt = ?, \
                first_received_at = coalesce(first_received_at, ?) WHERE id = ?";
    let mut messages = Vec::with_capacity(found.len());
    for stored in found {
        let receipt = Receipt { message: stored.id, nonce: uuid::Uuid::new_v4().simple().to_string() };
        let visible_at = now + visibility * 1000;
        transaction.prepare_cached(take)?.execute((visible_at, &receipt.nonce, now, stored.id))?;
        messages.push(stored.message(input, &receipt, now));
    }
    let next =
        "SELECT visible_at FROM messages WHERE queue = ? AND visible_at > ? ORDER BY visible_at LIMIT 1";
    let next_due: Option<i64> =
        transaction.prepare_cached(next)?.query_row((queue.id, now), |row| row.get(0)).optional()?;
    let until = |due: i64| Duration::from_millis((due - now).max(1).unsigned_abs());
    let default_wait = queue.number("ReceiveMessageWaitTimeSeconds");
    Ok(Look { messages, next_due: next_due.map(until), default_wait, dead_lettered_to })
}

/// Moves what was received too often to the dead-letter queue; returns that queue's name if anything moved.
fn redrive(transaction: &Transaction<'_>, queue: &Queue, now: i64) -> Result<Option<String>, SqsError> {
    let Some(policy) = queue.redrive_policy() else { return Ok(None) };
    let Ok(target) = Queue::find(transaction, policy.target()) else { return Ok(None) };
    // Among the next ones only, so that the cost of a receive does not depend on how many wait.
    let sql = "UPDATE messages SET queue = ?1, visible_at = ?2, receives = 0, receipt = NULL, first_received_at = NULL, \
               dead_letter_source = ?3 WHERE receives >= ?4 AND id IN \
               (SELECT id FROM messages WHERE queue = ?5 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?6)";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut any_moved = false;
    // Those that then come next may have been received too often, too.
    while statement.execute((
        target.id,
        now,
        queue.arn(),
        policy.max_receive_count,
        queue.id,
        MAX_MESSAGES,
    ))? > 0
    {
        any_moved = true;
    }
    Ok(any_moved.then_some(target.name))
}

/// A row of the table.
struct Stored {
    id: i64,
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
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
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

    fn message(self, input: &Receive, receipt: &Receipt, now: i64) -> Value {
        let mut message = json!({
            "MessageId": self.message_id,
            "ReceiptHandle": receipt.handle(),
            "MD5OfBody": messages::md5_of_body(&self.body),
            "Body": self.body,
        });
        let first = self.first_received_at.unwrap_or(now);
        let mut system: Map<String, Value> = Map::new();
        let mut add = |name: &str, value: Option<String>| {
            let wanted = |names: &[String]| names.iter().any(|wish| wish == "All" || wish == name);
            if let Some(value) = value
                && (wanted(&input.message_system_attribute_names) || wanted(&input.attribute_names))
            {
                system.insert(name.to_owned(), json!(value));
            }
        };
        add("SenderId", Some(ACCOUNT.to_owned()));
        add("SentTimestamp", Some(self.sent_at.to_string()));
        add("ApproximateReceiveCount", Some((self.receives + 1).to_string()));
        add("ApproximateFirstReceiveTimestamp", Some(first.to_string()));
        add("MessageGroupId", self.group_id);
        add("AWSTraceHeader", self.trace_header);
        add("DeadLetterQueueSourceArn", self.dead_letter_source);
        if !system.is_empty() {
            message["Attributes"] = Value::Object(system);
        }
        let mut attributes = self.attributes;
        attributes.retain(|name, _| messages::is_wanted(name, &input.message_attribute_names));
        if let Some(md5) = messages::md5_of_attributes(&attributes) {
            message["MD5OfMessageAttributes"] = json!(md5);
            message["MessageAttributes"] = json!(attributes);
        }
        message
    }
}
