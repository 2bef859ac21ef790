//! Changing what is recorded of an execution. Every write is conditional, so that of several writers one comes first,
//! and a final record never changes.

use std::time::Duration;

use crate::execution::Execution;
use crate::id::ExecutionId;
use crate::limits;
use crate::name::FunctionName;
use crate::retry::Delays;
use crate::store::{Bounded, Condition, JSON, Object, Store, StoreError, Written};

/// Each refused write means that another one happened, or that S3 wants it tried again; more than these is no race.
const TRIES: usize = 20;
const FIRST_DELAY: Duration = Duration::from_millis(10);
const LONGEST_DELAY: Duration = Duration::from_millis(500);

/// The records of all executions.
#[derive(Clone, Debug)]
pub struct Records(Store);

/// A record as it was read.
#[derive(Clone, Debug)]
pub struct Found {
    /// The execution.
    pub record: Execution,
    /// Identifies what was read.
    pub etag: String,
}

/// What became of a write.
#[derive(Clone, Debug)]
pub enum Transition {
    /// The record is the one that was to be written; its ETag.
    Stored(String),
    /// There is a final record already, which is this.
    Final(Box<Execution>),
    /// Another writer has changed the record, which is not final.
    Superseded,
}

impl Records {
    /// The records in `store`.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// The execution's record, if it has one that can be read.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn find(&self, function: &FunctionName, id: &ExecutionId) -> Result<Option<Found>, StoreError> {
        let key = self.0.keys().record(function, id);
        match self.read(&key).await? {
            Some(Stored { record: Ok(record), etag, .. }) => Ok(Some(Found { record, etag })),
            Some(Stored { record: Err(reason), .. }) => {
                tracing::error!(key, reason, "a record can't be read, and will be replaced");
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Writes `record` over what was `known`, by its ETag. A record that is final replaces whatever is not; one that
    /// is not gives way to any other.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn write(&self, record: &Execution, known: Option<&str>) -> Result<Transition, StoreError> {
        let key = self.0.keys().record(&record.function, &record.id);
        let bytes = serde_json::to_vec(record).map_err(|error| StoreError::unwritable(&key, &error))?;
        let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
        let mut replaced = known.map(str::to_owned);
        for _ in 0..TRIES {
            let condition = replaced.as_deref().map_or(Condition::Absent, Condition::Unchanged);
            if let Written::Stored(etag) = self.0.put(&key, bytes.clone(), JSON, condition).await? {
                return Ok(Transition::Stored(etag));
            }
            match self.read(&key).await? {
                // A call that was repeated because its answer was lost is refused for what it wrote itself.
                Some(own) if own.bytes == bytes => return Ok(Transition::Stored(own.etag)),
                Some(Stored { record: Ok(found), .. }) if found.status.is_final() => {
                    return Ok(Transition::Final(Box::new(found)));
                }
                // What can't be read is worth nothing, and gives way.
                Some(Stored { record: Err(_), etag, .. }) => replaced = Some(etag),
                Some(other) if record.status.is_final() || replaced.as_ref() == Some(&other.etag) => {
                    replaced = Some(other.etag);
                }
                Some(_) => return Ok(Transition::Superseded),
                None => replaced = None,
            }
            tokio::time::sleep(delays.next_delay()).await;
        }
        Err(StoreError::contended(&key))
    }

    async fn read(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        Ok(match self.0.get_bounded(key, limits::MAX_RECORD_BYTES).await? {
            None => None,
            Some(Bounded::Object(Object { bytes, etag })) => {
                let record = serde_json::from_slice(&bytes).map_err(|error| error.to_string());
                Some(Stored { record, bytes, etag })
            }
            Some(Bounded::TooLarge { bytes, etag }) => {
                Some(Stored { record: Err(format!("it has {bytes} bytes")), bytes: vec![], etag })
            }
        })
    }
}

/// What lies where a record should be, or why it is none.
struct Stored {
    record: Result<Execution, String>,
    bytes: Vec<u8>,
    etag: String,
}
