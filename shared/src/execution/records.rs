//! Changing what is recorded of an execution. Every write is conditional, so that of several writers one comes first,
//! and a final record never changes.

use std::time::Duration;

use bytes::Bytes;

use crate::aws::retry::Delays;
use crate::aws::store::{Bounded, Condition, JSON, Object, Store, StoreError, Written};
use crate::execution::id::ExecutionId;
use crate::execution::record::Record;
use crate::function::name::FunctionName;
use crate::limits;

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
    /// The record.
    pub record: Record,
    /// Identifies what was read.
    pub etag: String,
}

/// What became of a write.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// The record is the one that was to be written.
    Stored {
        /// Its ETag, for the next write.
        etag: String,
    },
    /// The execution had its final record already, which is this.
    AlreadyFinal(Box<Record>),
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

    /// Writes `record` in place of whatever is there, unless that is final. `known` is the ETag of what was last seen
    /// there, which saves a read.
    ///
    /// # Errors
    /// When S3 fails, or other writers kept coming first.
    pub async fn write(&self, record: &Record, known: Option<&str>) -> Result<Recorded, StoreError> {
        let key = self.0.keys().record(&record.function, &record.id);
        let bytes: Bytes = serde_json::to_vec(record)
            .map(Bytes::from)
            .map_err(|error| StoreError::unwritable(&key, &error))?;
        let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
        let mut replaced = known.map(str::to_owned);
        for _ in 0..TRIES {
            let condition = replaced.as_deref().map_or(Condition::Absent, Condition::Unchanged);
            if let Written::Stored(etag) = self.0.put(&key, bytes.clone(), JSON, condition).await? {
                return Ok(Recorded::Stored { etag });
            }
            replaced = match self.read(&key).await? {
                // A call that was repeated because its answer was lost is refused for what it wrote itself.
                Some(own) if own.bytes == bytes => return Ok(Recorded::Stored { etag: own.etag }),
                Some(Stored { record: Ok(found), .. }) if found.status.is_final() => {
                    return Ok(Recorded::AlreadyFinal(Box::new(found)));
                }
                // One that is not final, or can't be read, gives way.
                Some(gives_way) => Some(gives_way.etag),
                None => None,
            };
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
    record: Result<Record, String>,
    bytes: Vec<u8>,
    etag: String,
}
