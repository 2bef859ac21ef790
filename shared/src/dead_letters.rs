//! The dead-letter queue, as people use it: what is there and why, back to the queue with it, or away.
//!
//! Two kinds of message lie there. Those that a worker put there say why, and their execution has its final record. Those
//! that SQS itself moved there, after too many receives, say nothing, and their execution has none: redriven, it is the
//! same one that runs again; purged, it gets its record.

use std::time::Duration;

use serde_json::json;

use crate::aws::queue::{Depth, EntryError, Message, Queue, QueueError};
use crate::aws::store::{Condition, Store, StoreError, TEXT};
use crate::execution::ExecutionError;
use crate::execution::enqueue::EnqueueError;
use crate::execution::id::ExecutionId;
use crate::execution::message::{ExecutionRequest, Received};
use crate::execution::records::Records;
use crate::function::name::FunctionName;
use crate::limits;
use crate::timestamp::Timestamp;

mod progress;
mod redrive;
mod scan;
mod selection;
mod shown;

pub use self::progress::{Counts, Progress};
pub use self::redrive::Redriven;
use self::scan::Scan;
pub use self::selection::Selection;
pub use self::shown::{DeadLetterCount, DeadLetterLine, RedrivenDeadLetter, ShownDeadLetter};

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

    /// How many there are.
    pub async fn depth(&self) -> Result<Depth, QueueError> {
        self.queue.depth().await
    }

    /// Copies a received message there, and says why. The message itself is still to be deleted.
    pub async fn add(
        &self,
        message: &Message,
        execution: Option<&ExecutionId>,
        error: &ExecutionError,
    ) -> Result<(), DeadLetterError> {
        let reason = error.message.chars().take(MAX_REASON_CHARS).collect();
        let mut own = vec![(REASON_ATTRIBUTE, reason), (KIND_ATTRIBUTE, error.kind.name().to_owned())];
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

    /// Roughly how many messages are there, those that somebody looks at included.
    pub async fn count(&self) -> Result<u64, DeadLetterError> {
        let Depth { visible, held, delayed } = self.queue.depth().await?;
        Ok(visible + held + delayed)
    }

    /// Looks at up to `most` messages of a selection, the order being SQS's.
    pub async fn list(&self, selection: &Selection, most: usize) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let mut letters = vec![];
        self.look(selection, most, &Progress::default(), |letter| letters.push(letter)).await?;
        Ok(letters)
    }

    /// The same, handing each over as it is found. Meanwhile no one else sees the messages that this came to.
    pub async fn look(
        &self,
        selection: &Selection,
        most: usize,
        progress: &Progress,
        mut found: impl FnMut(DeadLetter),
    ) -> Result<(), DeadLetterError> {
        let mut scan = Scan::begin(self, selection, progress);
        let mut left = most;
        let looked = loop {
            if left == 0 {
                break Ok(());
            }
            match scan.next().await {
                Ok(Some(letter)) => found(letter),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
            left -= 1;
        };
        let ended = scan.end().await;
        looked.and(ended)
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
}

impl DeadLetter {
    /// What the message asks for, if it can be read.
    fn request(&self) -> Option<ExecutionRequest> {
        let message_id = self.message.attribute(EXECUTION_ATTRIBUTE).unwrap_or(&self.message.message_id);
        let received = Received { message_id, body: &self.body, ..self.message.received() };
        received.parse(None).ok()
    }
}
