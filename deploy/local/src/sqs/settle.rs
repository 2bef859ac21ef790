//! What a client does with messages that it received: it deletes them, or changes how long they stay invisible.

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::queues::Queue;
use super::receipt::Receipt;
use super::requests::{Batch, ChangeVisibility, Delete, MAX_VISIBILITY_SECONDS, in_range};
use super::{Sqs, SqsError, batch};
use crate::now_ms;

impl Sqs {
    pub(crate) async fn delete_message(&self, queue: String, input: Delete) -> Result<Value, SqsError> {
        let delete = move |transaction: &Transaction<'_>| {
            delete(transaction, &Queue::find(transaction, &queue)?, &input.receipt_handle)
        };
        self.call(delete).await
    }

    pub(crate) async fn delete_message_batch(
        &self,
        queue: String,
        input: Batch<Delete>,
    ) -> Result<Value, SqsError> {
        batch::check(input.entries.iter().map(|entry| entry.id.as_str()))?;
        let deleted = self.call(move |transaction| {
            let queue = Queue::find(transaction, &queue)?;
            let delete =
                |entry: &Delete| (entry.id.clone(), delete(transaction, &queue, &entry.receipt_handle));
            Ok(batch::answer(input.entries.iter().map(delete)))
        });
        deleted.await
    }

    pub(crate) async fn change_visibility(
        &self,
        queue: String,
        input: ChangeVisibility,
    ) -> Result<Value, SqsError> {
        let name = queue.clone();
        let change = move |transaction: &Transaction<'_>| {
            change_visibility(transaction, &Queue::find(transaction, &queue)?, &input)
        };
        let changed = self.call(change).await?;
        self.changes.wake(&name);
        Ok(changed)
    }

    pub(crate) async fn change_visibility_batch(
        &self,
        queue: String,
        input: Batch<ChangeVisibility>,
    ) -> Result<Value, SqsError> {
        batch::check(input.entries.iter().map(|entry| entry.id.as_str()))?;
        let name = queue.clone();
        let changed = self.call(move |transaction| {
            let queue = Queue::find(transaction, &queue)?;
            let change =
                |entry: &ChangeVisibility| (entry.id.clone(), change_visibility(transaction, &queue, entry));
            Ok(batch::answer(input.entries.iter().map(change)))
        });
        let changed = changed.await?;
        self.changes.wake(&name);
        Ok(changed)
    }
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
    let sql = "UPDATE messages SET visible_at = ?1, ready = (?1 <= ?5) \
               WHERE id = ?2 AND queue = ?3 AND receipt = ?4 AND ready = 0 AND visible_at > ?5";
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
