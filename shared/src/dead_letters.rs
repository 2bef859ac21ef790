//! The dead-letter queue, as people use it: what is there and why, back to the queue with it, or away.
//!
//! Two kinds of message lie there. Those that a worker put there say why, and their execution has its final record. Those
//! that SQS itself moved there, after too many receives, say nothing, and their execution has none: redriven, it is the
//! same one that runs again; purged, it gets its record.

use std::time::Duration;

use serde_json::json;
use tokio::time::MissedTickBehavior;

use crate::enqueue::{EnqueueError, message_for};
use crate::execution::{ErrorKind, ExecutionError};
use crate::id::ExecutionId;
use crate::limits;
use crate::message::{ExecutionRequest, Input, Received};
use crate::name::FunctionName;
use crate::queue::{EntryError, Message, Queue, QueueError};
use crate::record::Record;
use crate::records::Records;
use crate::store::{Condition, Store, StoreError, TEXT};
use crate::timestamp::Timestamp;

mod scan;

use self::scan::Scan;

/// Why the message is there: a sentence.
pub const REASON_ATTRIBUTE: &str = "badlambda_reason";
/// The kind of the execution's error, as in its record.
pub const KIND_ATTRIBUTE: &str = "badlambda_kind";
/// The id of the execution that the message asked for.
pub const EXECUTION_ATTRIBUTE: &str = "badlambda_execution";
/// Set where the body left no room for these: the S3 key under which it lies.
pub const BODY_KEY_ATTRIBUTE: &str = "badlambda_body_key";

const MAX_REASON_CHARS: usize = 1024;
/// How long a look at the messages may take before they show up for others again.
const LOOK: Duration = Duration::from_secs(60);
/// A long poll, however short, asks all of SQS's servers; one that does not wait asks a few.
const WAIT: Duration = Duration::from_secs(1);

/// Something with dead letters failed.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// A call to SQS failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// SQS refused one message.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A call to S3 failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The message could not be made anew.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
}

/// A message in the dead-letter queue.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Its id there.
    pub message_id: String,
    /// Why it is there.
    pub reason: String,
    /// The kind of its execution's error, where a worker put it there.
    pub kind: Option<String>,
    /// Which execution of which function it asked for, as far as that can be told.
    pub execution: Option<(FunctionName, ExecutionId)>,
    /// When it came there, or, where SQS moved it, when it was first sent.
    pub sent_at: Timestamp,
    /// The message's body.
    pub body: String,
    message: Message,
}

/// Which messages are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// All that are there when it begins.
    All,
    /// The one with this id.
    One(&'a str),
}

/// What became of a message that was sent back.
#[derive(Clone, Debug)]
pub struct Redriven {
    /// Its id in the dead-letter queue.
    pub message_id: String,
    /// The execution it asks for now: a new one where the old one has its final record, which never changes.
    pub execution: Option<(FunctionName, ExecutionId)>,
}

/// The dead-letter queue of a queue.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    source: Queue,
    queue: Queue,
    store: Store,
    records: Records,
}

impl DeadLetters {
    /// Those of `queue`, whose executions are recorded in `store`.
    pub fn new(queue: &Queue, store: &Store) -> Self {
        let records = Records::new(store.clone());
        Self { source: queue.clone(), queue: queue.dead_letters(), store: store.clone(), records }
    }

    /// Copies a received message there, and says why. The message itself is still to be deleted.
    pub async fn add(
        &self,
        message: &Message,
        execution: Option<&ExecutionId>,
        error: &ExecutionError,
    ) -> Result<(), DeadLetterError> {
        let reason = error.message.chars().take(MAX_REASON_CHARS).collect();
        let mut own = vec![(REASON_ATTRIBUTE, reason), (KIND_ATTRIBUTE, error.kind.name())];
        own.extend(execution.map(|id| (EXECUTION_ATTRIBUTE, id.to_string())));
        if message.copy_bytes(&own) <= limits::SQS_MESSAGE_BYTES {
            return Ok(self.queue.send_copy(message, None, &own).await?);
        }
        let key = self.store.keys().dead_letter(&message.message_id);
        self.store.put(&key, message.body.clone().into_bytes(), TEXT, Condition::Always).await?;
        let body = json!({ "body_key": key }).to_string();
        own.push((BODY_KEY_ATTRIBUTE, key));
        Ok(self.queue.send_copy(message, Some(&body), &own).await?)
    }

    /// Looks at up to `most` messages, the order being SQS's. Meanwhile no one else sees them.
    pub async fn list(&self, most: usize) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let mut scan = Scan::begin(self);
        let mut letters = vec![];
        while letters.len() < most
            && let Some(message) = scan.next().await?
        {
            letters.push(self.read(message).await?);
        }
        scan.end().await?;
        Ok(letters)
    }

    /// Looks for one message.
    pub async fn show(&self, message_id: &str) -> Result<Option<DeadLetter>, DeadLetterError> {
        let mut scan = Scan::begin(self);
        let found = scan.next_of(Selection::One(message_id)).await?;
        scan.end().await?;
        match found {
            Some(message) => Ok(Some(self.read(message).await?)),
            None => Ok(None),
        }
    }

    /// Sends messages back to the queue they came from, at most `per_second` in a second. What SQS moved there from
    /// another queue is left.
    pub async fn redrive(
        &self,
        selection: Selection<'_>,
        per_second: u32,
    ) -> Result<Vec<Redriven>, DeadLetterError> {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut redriven = vec![];
        let mut scan = Scan::begin(self);
        while let Some(message) = scan.next_of(selection).await? {
            if message.moved_from.as_deref().is_some_and(|name| name != self.source.name()) {
                continue;
            }
            pace.tick().await;
            let letter = self.read(message).await?;
            let execution = self.send_back(&letter).await?;
            scan.delete(&letter.message).await?;
            redriven.push(Redriven { message_id: letter.message_id, execution });
        }
        scan.end().await?;
        Ok(redriven)
    }

    /// Deletes messages, and answers how many. An execution without a final record gets one.
    pub async fn purge(&self, selection: Selection<'_>) -> Result<usize, DeadLetterError> {
        let mut purged = 0;
        let mut scan = Scan::begin(self);
        while let Some(message) = scan.next_of(selection).await? {
            let letter = self.read(message).await?;
            if letter.kind.is_none()
                && let Some(request) = letter.request()
            {
                self.record_lost(request, &letter).await?;
            }
            scan.delete(&letter.message).await?;
            purged += 1;
        }
        scan.end().await?;
        Ok(purged)
    }

    /// The message with the body that it came with.
    async fn read(&self, message: Message) -> Result<DeadLetter, DeadLetterError> {
        let body = match message.attribute(BODY_KEY_ATTRIBUTE) {
            // Any other key would let whoever may send to the dead-letter queue read what is not theirs.
            Some(key) if key.starts_with(&self.store.keys().dead_letter("")) => {
                let object = self.store.get(key, limits::SQS_MESSAGE_BYTES as u64).await?;
                object.map(|object| String::from_utf8_lossy(&object.bytes).into_owned())
            }
            _ => None,
        };
        let reason = message.attribute(REASON_ATTRIBUTE).map_or_else(
            || "SQS moved it here after too many receives: the workers that took it were lost".to_owned(),
            str::to_owned,
        );
        let mut letter = DeadLetter {
            message_id: message.message_id.clone(),
            reason,
            kind: message.attribute(KIND_ATTRIBUTE).map(str::to_owned),
            execution: None,
            sent_at: message.sent_at,
            body: body.unwrap_or_else(|| message.body.clone()),
            message,
        };
        letter.execution = letter.request().map(|request| (request.function, request.id));
        Ok(letter)
    }

    async fn send_back(
        &self,
        letter: &DeadLetter,
    ) -> Result<Option<(FunctionName, ExecutionId)>, DeadLetterError> {
        let Some(mut request) = letter.request() else {
            self.source.send_copy(&letter.message, Some(&letter.body), &[]).await?;
            return Ok(None);
        };
        let found = self.records.find(&request.function, &request.id).await?;
        if found.is_some_and(|found| found.record.status.is_final()) {
            request.input = self.input_of(&request).await?;
            request.id = ExecutionId::issue(&request.function);
            request.submitted_at = Timestamp::now();
        }
        let execution = (request.function.clone(), request.id.clone());
        let message = message_for(&self.store, request).await?;
        let sent = self.source.send_batch(&[message]).await?;
        for result in sent {
            result?;
        }
        Ok(Some(execution))
    }

    /// The input itself: what is stored belongs to the old id.
    async fn input_of(&self, request: &ExecutionRequest) -> Result<Input, DeadLetterError> {
        let Input::Stored(key) = &request.input else { return Ok(request.input.clone()) };
        let own_key = self.store.keys().input(&request.function, &request.id);
        let most = limits::MAX_INPUT_BYTES_CEILING;
        let object = if *key == own_key { self.store.get(key, most).await? } else { None };
        let json = object.and_then(|object| serde_json::from_slice(&object.bytes).ok());
        Ok(json.map_or_else(|| request.input.clone(), Input::Inline))
    }

    async fn record_lost(&self, request: ExecutionRequest, letter: &DeadLetter) -> Result<(), StoreError> {
        let queued = Record::queued(request.id, request.function, None, request.submitted_at);
        let error = ExecutionError::new(ErrorKind::WorkerLost, letter.reason.clone());
        let found = self.records.find(&queued.function, &queued.id).await?;
        let record = queued.failed(error);
        self.records.write(&record, found.as_ref().map(|found| found.etag.as_str())).await?;
        Ok(())
    }
}

impl DeadLetter {
    /// What the message asks for, if it can be read.
    fn request(&self) -> Option<ExecutionRequest> {
        let message_id = self.message.attribute(EXECUTION_ATTRIBUTE).unwrap_or(&self.message.message_id);
        let received = Received { message_id, body: &self.body, ..self.message.received() };
        received.parse(None).ok()
    }
}
