//! The SQLite file, and the one thread that owns it. Jobs that wait at the same time share one transaction, and each
//! is answered only when that is committed; so what was answered survives `kill -9`.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use super::error::SqsError;
use super::schema;

/// So many jobs share a transaction at the most.
const MOST_JOBS: usize = 64;
const CACHE_KIB: i64 = 16 * 1024;
const CACHED_STATEMENTS: usize = 64;

/// A job leaves something to be said once its transaction is committed, or was not.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), SqsError>)>;

/// The way to the thread, which ends with the last of these.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    jobs: Sender<Job>,
}

impl Database {
    /// Opens or makes the file.
    pub(crate) fn open(path: &Path) -> Result<Self, SqsError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A committed transaction survives the process; only a power cut could take the last ones.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        schema::prepare(&mut connection)?;
        let (jobs, waiting) = channel();
        thread::Builder::new()
            .name("sqs-database".to_owned())
            .spawn(move || work(connection, &waiting))
            .map_err(|error| SqsError::Internal(error.to_string()))?;
        Ok(Self { jobs })
    }

    /// Runs `job` in a transaction. An error of its own takes back what it did, and nothing else. Where whoever asks
    /// goes away before its turn comes, it is not run at all.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, SqsError> + Send + 'static,
    ) -> Result<T, SqsError> {
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |transaction| {
            if answer.is_closed() {
                return Box::new(|_| {});
            }
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

    /// Runs `job` without anybody who waits for it; `then`, once it is committed.
    pub(crate) fn post(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<(), SqsError> + Send + 'static,
        then: impl FnOnce() + Send + 'static,
    ) {
        let boxed: Job = Box::new(move |transaction| {
            let result = in_savepoint(transaction, job);
            Box::new(move |committed| match committed.and(result) {
                Ok(()) => then(),
                Err(error) => tracing::error!(%error, "the database failed"),
            })
        });
        // Without the thread, nothing can be done, and nobody is there to be told.
        let _ = self.jobs.send(boxed);
    }
}

fn in_savepoint<T>(
    transaction: &Transaction<'_>,
    job: impl FnOnce(&Transaction<'_>) -> Result<T, SqsError>,
) -> Result<T, SqsError> {
    let run = |sql: &str| transaction.prepare_cached(sql)?.execute([]);
    run("SAVEPOINT job")?;
    let result = job(transaction);
    if result.is_err() {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")?;
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
