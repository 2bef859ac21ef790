//! An SQLite file, and the one thread that writes it. Jobs that wait at the same time share one transaction, and each
//! is answered only when that is committed; so what was answered survives `kill -9`.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

/// So many jobs share a transaction at the most.
const MOST_JOBS: usize = 64;
const CACHE_KIB: i64 = 16 * 1024;
const CACHED_STATEMENTS: usize = 64;

/// Why a file could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DatabaseError(String);

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

/// A job leaves something to be said once its transaction is committed, or was not.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), DatabaseError>)>;

/// The way to the thread, which ends with the last of these.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    jobs: Sender<Job>,
}

impl Database {
    /// Opens or makes the file. Each of `steps` takes the tables of a file from one version to the next.
    pub(crate) fn open(path: &Path, steps: &[&str]) -> Result<Self, DatabaseError> {
        let mut connection = Connection::open(path)?;
        keep_plans(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A committed transaction survives the process; only a power cut could take the last ones.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        migrate(&mut connection, steps)?;
        let (jobs, waiting) = channel();
        thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || work(connection, &waiting))
            .map_err(|error| DatabaseError(error.to_string()))?;
        Ok(Self { jobs })
    }

    /// Runs `job` in a transaction. An error of its own takes back what it did, and nothing else. Where whoever asks
    /// goes away before its turn comes, it is not run at all.
    pub(crate) async fn call<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |transaction| {
            if answer.is_closed() {
                return Box::new(|_| {});
            }
            let result = in_savepoint(transaction, job);
            Box::new(move |committed| {
                // Whoever asked may have gone.
                let _ = answer.send(committed.map_err(E::from).and(result));
            })
        });
        let ended = || DatabaseError("the database has ended".to_owned());
        self.jobs.send(boxed).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    /// Runs `job` without anybody who waits for it; `then`, once it is committed.
    pub(crate) fn post(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<(), DatabaseError> + Send + 'static,
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

fn in_savepoint<T, E: From<DatabaseError>>(
    transaction: &Transaction<'_>,
    job: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let run = |sql: &str| {
        let ran = transaction.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        ran.map_err(DatabaseError::from)
    };
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
                transaction.commit().map_err(DatabaseError::from)
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

/// A prepared statement keeps its plan. By default, SQLite prepares it again for other parameters.
pub(crate) fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Makes the tables, or takes those of an older version to this one.
fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), DatabaseError> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = steps.get(version as usize..) else {
        return Err(DatabaseError("the file was written by a newer version".to_owned()));
    };
    let transaction = connection.transaction()?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 2] = [
        "CREATE TABLE numbers (number INTEGER)",
        "ALTER TABLE numbers ADD COLUMN name TEXT NOT NULL DEFAULT 'none'",
    ];

    #[test]
    fn a_file_of_an_older_version_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS[..1]).unwrap();
        connection.execute("INSERT INTO numbers VALUES (7)", []).unwrap();
        migrate(&mut connection, &STEPS).unwrap();
        migrate(&mut connection, &STEPS).unwrap();
        let row = connection.query_row("SELECT number, name FROM numbers", [], |row| row.try_into());
        assert_eq!(row, Ok((7, "none".to_owned())));
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS).unwrap();
        assert!(migrate(&mut connection, &STEPS[..1]).is_err());
    }
}
