//! The SQLite file, and the one thread that owns it. Jobs that wait at the same time share one transaction, and each
//! is answered only when that is committed; so what was answered survives `kill -9`.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use super::error::SqsError;

/// So many jobs share a transaction at the most.
const MOST_JOBS: usize = 64;
const CACHE_KIB: i64 = 16 * 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queues (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        attributes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        modified_at INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue INTEGER NOT NULL REFERENCES queues (id),
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT NOT NULL,
        trace_header TEXT,
        group_id TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        first_received_at INTEGER,
        receives INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        dead_letter_source TEXT
    );
    CREATE INDEX IF NOT EXISTS by_visibility ON messages (queue, visible_at, id);
    CREATE INDEX IF NOT EXISTS by_age ON messages (queue, sent_at);
";

/// A job leaves something to be said once its transaction is committed, or was not.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), SqsError>)>;

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Database {
    jobs: Sender<Job>,
}

impl Database {
    /// Opens or makes the file.
    pub(crate) fn open(path: &Path) -> Result<Self, SqsError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A committed transaction survives the process; only a power cut could take the last ones.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.execute_batch(SCHEMA)?;
        connection.set_prepared_statement_cache_capacity(64);
        let (jobs, waiting) = channel();
        thread::Builder::new()
            .name("sqs-database".to_owned())
            .spawn(move || work(connection, &waiting))
            .map_err(|error| SqsError::Internal(error.to_string()))?;
        Ok(Self { jobs })
    }

    /// Runs `job` in a transaction. An error of its own takes back what it did, and nothing else.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, SqsError> + Send + 'static,
    ) -> Result<T, SqsError> {
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |transaction| {
            let result = in_savepoint(transaction, job);
            Box::new(move |committed| {
                // Whoever asked may have gone.
                let _ = answer.send(committed.and(result));
            })
        });
        let ended = || SqsError::Internal("the database has ended".to_owned());
        self.jobs.send(boxed).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

fn in_savepoint<T>(
    transaction: &Transaction<'_>,
    job: impl FnOnce(&Transaction<'_>) -> Result<T, SqsError>,
) -> Result<T, SqsError> {
    transaction.execute_batch("SAVEPOINT job")?;
    let result = job(transaction);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    transaction.execute_batch(end)?;
    result
}

fn work(mut connection: Connection, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let jobs = std::iter::once(first).chain(waiting.try_iter()).take(MOST_JOBS);
        let mut answers: Vec<Answer> = Vec::new();
        let committed = match connection.transaction() {
            Ok(transaction) => {
                answers.extend(jobs.map(|job| job(&transaction)));
                transaction.commit().map_err(SqsError::from)
            }
            Err(error) => {
                tracing::error!(%error, "the database failed");
                continue;
            }
        };
        for answer in answers {
            answer(committed.clone());
        }
    }
}
