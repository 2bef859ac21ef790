//! A small SQS over SQLite: standard queues, the JSON protocol, and the operations that a fleet and its producers use.

mod actions;
mod batch;
mod changes;
mod error;
mod messages;
pub(crate) mod protocol;
mod queues;
mod receipt;
mod receive;
mod requests;
mod send;
mod settle;
mod stored;
mod tables;
mod take;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Transaction;

use self::changes::Changes;
pub use self::error::SqsError;
use self::queues::{ACCOUNT, Queue};
use crate::counters::Counters;
use crate::database::Database;

/// Twice as often as the fleet gives up by itself: the net under that.
const MAX_RECEIVE_COUNT: u32 = 10;
const VISIBILITY_SECONDS: u32 = 60;
/// SQS's longest.
const RETENTION_SECONDS: u32 = 1_209_600;

/// The embedded SQS.
#[derive(Debug)]
pub(crate) struct Sqs {
    database: Database,
    address: SocketAddr,
    changes: Arc<Changes>,
    counters: Arc<Counters>,
}

impl Sqs {
    pub(crate) fn open(path: &Path, address: SocketAddr, counters: Arc<Counters>) -> Result<Self, SqsError> {
        Ok(Self {
            database: Database::open(path, &tables::STEPS)?,
            address,
            changes: Arc::default(),
            counters,
        })
    }

    async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, SqsError> + Send + 'static,
    ) -> Result<T, SqsError> {
        self.database.call(job).await
    }

    /// Makes the queue with its dead-letter queue, where they are not there.
    pub(crate) async fn ensure_queues(&self, name: &str, dead_letters: &str) -> Result<(), SqsError> {
        let (name, dead_letters) = (name.to_owned(), dead_letters.to_owned());
        let made = self.call(move |transaction| {
            let retention = ("MessageRetentionPeriod".to_owned(), RETENTION_SECONDS.to_string());
            if Queue::find(transaction, &dead_letters).is_err() {
                Queue::create(transaction, &dead_letters, BTreeMap::from([retention.clone()]))?;
            }
            if Queue::find(transaction, &name).is_ok() {
                return Ok(());
            }
            let target = Queue::find(transaction, &dead_letters)?.arn();
            let policy =
                serde_json::json!({"deadLetterTargetArn": target, "maxReceiveCount": MAX_RECEIVE_COUNT});
            let attributes = BTreeMap::from([
                retention,
                ("VisibilityTimeout".to_owned(), VISIBILITY_SECONDS.to_string()),
                ("RedrivePolicy".to_owned(), policy.to_string()),
            ]);
            Queue::create(transaction, &name, attributes)
        });
        made.await
    }
}

/// A queue's URL at `address`.
pub(crate) fn queue_url(address: SocketAddr, name: &str) -> String {
    format!("http://{address}/{ACCOUNT}/{name}")
}
