//! One look at a queue: what is due becomes ready, what was received too often moves on, and the next ones are taken.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction};
use serde_json::Value;

use super::SqsError;
use super::changes::Changes;
use super::queues::Queue;
use super::receipt::Receipt;
use super::requests::Receive;
use super::stored::Stored;
use crate::database::{Database, DatabaseError};
use crate::now_ms;

/// So many become ready in one look at the most, so that none takes long; the others do in the next.
const MOST_DUE: i64 = 1000;
/// Among so many of the next ones it is looked for what was received too often.
const MOST_REDRIVEN: i64 = 10;

/// What one look at the queue found.
pub(crate) struct Look {
    pub(crate) messages: InFlight,
    /// How long until the next message becomes ready by itself.
    pub(crate) next_due: Option<Duration>,
    /// The queue's own wait, in seconds.
    pub(crate) default_wait: i64,
    /// The dead-letter queue, where messages moved there.
    pub(crate) dead_lettered_to: Option<String>,
}

/// Messages in flight that have not reached the answer of their receive yet. Where they don't, because its client has
/// gone, dropping this gives them back as if they had never been received.
pub(crate) struct InFlight {
    messages: Vec<Value>,
    receipts: Vec<Receipt>,
    source: SourceQueue,
}

/// The queue that they were received from.
#[derive(Clone)]
pub(crate) struct SourceQueue {
    pub(crate) database: Database,
    pub(crate) changes: Arc<Changes>,
    pub(crate) queue: String,
}

impl InFlight {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages, now the client's.
    pub(crate) fn hand_over(mut self) -> Vec<Value> {
        self.receipts.clear();
        std::mem::take(&mut self.messages)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let receipts = std::mem::take(&mut self.receipts);
        if receipts.is_empty() {
            return;
        }
        let SourceQueue { database, changes, queue } = self.source.clone();
        database.post(move |transaction| give_back(transaction, &receipts), move || changes.wake(&queue));
    }
}

/// Looks at the queue `source`, and takes at most `most` messages.
pub(crate) fn look(
    transaction: &Transaction<'_>,
    source: SourceQueue,
    input: &Receive,
    most: i64,
) -> Result<Look, SqsError> {
    let queue = Queue::find(transaction, &source.queue)?;
    let now = now_ms();
    queue.expire(transaction, now)?;
    let due = "UPDATE messages SET ready = 1 WHERE id IN (SELECT id FROM messages \
               WHERE queue = ? AND ready = 0 AND visible_at <= ? ORDER BY visible_at LIMIT ?)";
    transaction.prepare_cached(due)?.execute((queue.id, now, MOST_DUE))?;
    let dead_lettered_to = redrive(transaction, &queue, now)?;
    let messages = take(transaction, &queue, source, input, most, now)?;
    let next = "SELECT visible_at FROM messages WHERE queue = ? AND ready = 0 ORDER BY visible_at LIMIT 1";
    let next_due: Option<i64> =
        transaction.prepare_cached(next)?.query_row([queue.id], |row| row.get(0)).optional()?;
    let until = |due: i64| Duration::from_millis((due - now).max(1).unsigned_abs());
    let default_wait = queue.number("ReceiveMessageWaitTimeSeconds");
    Ok(Look { messages, next_due: next_due.map(until), default_wait, dead_lettered_to })
}

/// Moves what was received too often to the dead-letter queue; returns that queue's name if anything moved.
fn redrive(transaction: &Transaction<'_>, queue: &Queue, now: i64) -> Result<Option<String>, SqsError> {
    let Some(policy) = queue.redrive_policy() else { return Ok(None) };
    let Ok(target) = Queue::find(transaction, policy.target()) else { return Ok(None) };
    // Among the next ones only, so that the cost of a receive does not depend on how many wait.
    let sql = "UPDATE messages SET queue = ?1, visible_at = ?2, receives = 0, receipt = NULL, \
               first_received_at = NULL, turn = 0, dead_letter_source = ?3 WHERE receives >= ?4 AND id IN \
               (SELECT id FROM messages WHERE queue = ?5 AND ready = 1 ORDER BY turn, id LIMIT ?6)";
    let mut statement = transaction.prepare_cached(sql)?;
    let count = policy.max_receive_count;
    let mut any_moved = false;
    // Those that then come next may have been received too often, too.
    while statement.execute((target.id, now, queue.arn(), count, queue.id, MOST_REDRIVEN))? > 0 {
        any_moved = true;
    }
    Ok(any_moved.then_some(target.name))
}

fn take(
    transaction: &Transaction<'_>,
    queue: &Queue,
    source: SourceQueue,
    input: &Receive,
    most: i64,
    now: i64,
) -> Result<InFlight, SqsError> {
    let next = format!(
        "SELECT {} FROM messages WHERE queue = ? AND ready = 1 ORDER BY turn, id LIMIT ?",
        Stored::COLUMNS
    );
    let mut statement = transaction.prepare_cached(&next)?;
    let found = statement.query_map((queue.id, most), Stored::read)?.collect::<Result<Vec<_>, _>>()?;
    let visibility = input.visibility_timeout.unwrap_or_else(|| queue.number("VisibilityTimeout"));
    let mut take = transaction.prepare_cached(
        "UPDATE messages SET ready = 0, visible_at = ?, receives = receives + 1, receipt = ?, \
         first_received_at = coalesce(first_received_at, ?) WHERE id = ?",
    )?;
    let (mut messages, mut receipts) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
    for stored in found {
        let receipt = Receipt::of(stored.id);
        take.execute((now + visibility * 1000, &receipt.nonce, now, stored.id))?;
        messages.push(stored.message(input, &receipt, now));
        receipts.push(receipt);
    }
    Ok(InFlight { messages, receipts, source })
}

fn give_back(transaction: &Transaction<'_>, receipts: &[Receipt]) -> Result<(), DatabaseError> {
    let sql = "UPDATE messages SET ready = 1, visible_at = ?, receives = receives - 1, receipt = NULL, \
               first_received_at = iif(receives > 1, first_received_at, NULL) WHERE id = ? AND receipt = ?";
    let mut statement = transaction.prepare_cached(sql)?;
    for receipt in receipts {
        statement.execute((now_ms(), receipt.message, &receipt.nonce))?;
    }
    Ok(())
}
