//! Sending, and the order in which the groups of a queue take turns.

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::messages::{self, MAX_MESSAGE_BYTES};
use super::queues::Queue;
use super::requests::{Batch, Send, in_range};
use super::{Sqs, SqsError, batch};
use crate::now_ms;

const MAX_DELAY_SECONDS: i64 = 900;
const MAX_GROUP_CHARS: usize = 128;
const TRACE_HEADER: &str = "AWSTraceHeader";

/// Groups take turns, as in start-time fair queueing: a message's turn is the one after the last of its own group's
/// messages that are still here, waiting or in flight, but not before the turn that is being served. So a group with
/// many messages waits for itself, and not others for it; and finding the next message stays one step in an index.
/// Messages without a group are one group.
const INSERT: &str = "INSERT INTO messages \
    (queue, message_id, body, attributes, trace_header, group_id, sent_at, visible_at, ready, turn) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, max( \
        coalesce((SELECT turn + 1 FROM messages WHERE queue = ?1 AND group_id IS ?6 ORDER BY turn DESC LIMIT 1), 0), \
        coalesce((SELECT turn FROM messages WHERE queue = ?1 AND ready = 1 ORDER BY turn LIMIT 1), 0)))";

impl Sqs {
    pub(crate) async fn send_message(&self, queue: String, input: Send) -> Result<Value, SqsError> {
        let name = queue.clone();
        let send = move |transaction: &Transaction<'_>| {
            send(transaction, &Queue::find(transaction, &queue)?, &input)
        };
        let sent = self.call(send).await?;
        self.changes.wake(&name);
        Ok(sent)
    }

    pub(crate) async fn send_message_batch(
        &self,
        queue: String,
        input: Batch<Send>,
    ) -> Result<Value, SqsError> {
        batch::check(input.entries.iter().map(|entry| entry.id.as_str()))?;
        let bytes = |entry: &Send| messages::size(&entry.message_body, &entry.message_attributes);
        if input.entries.iter().map(bytes).sum::<usize>() > MAX_MESSAGE_BYTES {
            return Err(SqsError::BatchRequestTooLong(MAX_MESSAGE_BYTES));
        }
        let name = queue.clone();
        let sent = self.call(move |transaction| {
            let queue = Queue::find(transaction, &queue)?;
            let send = |entry: &Send| (entry.id.clone(), send(transaction, &queue, entry));
            Ok(batch::answer(input.entries.iter().map(send)))
        });
        let sent = sent.await?;
        self.changes.wake(&name);
        Ok(sent)
    }
}

fn send(transaction: &Transaction<'_>, queue: &Queue, input: &Send) -> Result<Value, SqsError> {
    check(queue, input)?;
    let delay = input.delay_seconds.unwrap_or_else(|| queue.number("DelaySeconds"));
    in_range("DelaySeconds", delay, MAX_DELAY_SECONDS)?;
    let trace_header = input.message_system_attributes.get(TRACE_HEADER);
    let attributes = serde_json::to_string(&input.message_attributes)
        .map_err(|error| SqsError::Internal(error.to_string()))?;
    let (message_id, now) = (uuid::Uuid::new_v4().to_string(), now_ms());
    transaction.prepare_cached(INSERT)?.execute((
        queue.id,
        &message_id,
        &input.message_body,
        attributes,
        trace_header.and_then(|trace| trace.string_value.as_deref()),
        &input.message_group_id,
        now,
        now + delay * 1000,
        delay == 0,
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

fn check(queue: &Queue, input: &Send) -> Result<(), SqsError> {
    let refuse = |message: String| Err(SqsError::InvalidParameterValue(message));
    let most = usize::try_from(queue.number("MaximumMessageSize")).unwrap_or(MAX_MESSAGE_BYTES);
    messages::check(&input.message_body, &input.message_attributes, most)?;
    if input.message_deduplication_id.is_some() {
        return refuse(
            "The request include parameter that is not valid for this queue type: MessageDeduplicationId"
                .to_owned(),
        );
    }
    if input.message_group_id.as_ref().is_some_and(|group| !is_group(group)) {
        return refuse(
            "MessageGroupId has 1 to 128 alphanumeric or punctuation characters of ASCII.".to_owned(),
        );
    }
    for (name, attribute) in &input.message_system_attributes {
        if name != TRACE_HEADER {
            return refuse(format!("Message system attribute name '{name}' is invalid."));
        }
        if attribute.data_type != "String" || attribute.bytes().is_none() {
            return refuse(format!("The message system attribute '{name}' must be a non-empty String."));
        }
    }
    Ok(())
}

fn is_group(group: &str) -> bool {
    (1..=MAX_GROUP_CHARS).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic())
}
