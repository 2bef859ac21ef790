//! Event source mappings, as AWS Lambda has them: messages of the queue that name no function are events of one. The only
//! event source is the deployment's own queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use moka::future::Cache;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::to_raw_value;

use crate::aws::queue::Message;
use crate::aws::store::{Condition, JSON, Store, StoreError, Written};
use crate::execution::invocation::Invocation;
use crate::execution::message::{BadMessage, ExecutionRequest, Input};
use crate::function::name::{FunctionName, VersionRef};
use crate::limits;
use crate::timestamp::Timestamp;

/// Bytes of all mappings.
const MOST_BYTES: u64 = 1 << 20;

/// All mappings of a deployment, as S3 holds them, in one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventSources {
    /// By their UUIDs.
    pub mappings: BTreeMap<String, EventSourceMapping>,
}

/// Which function gets the messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSourceMapping {
    /// The queue's ARN.
    pub queue_arn: String,
    /// The function.
    pub function: FunctionName,
    /// Which version or alias; `$LATEST` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionRef>,
    /// The ARN by which the function was named.
    pub function_arn: String,
    /// Whether it gets them.
    pub enabled: bool,
    /// The most messages of an event, of which each has one.
    pub batch_size: u32,
    /// How long to wait for so many, at most.
    pub batching_window_seconds: u32,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl EventSources {
    /// What is stored, and its ETag, if there is something.
    ///
    /// # Errors
    /// When S3 fails, or holds something else.
    pub async fn read(store: &Store) -> Result<(Self, Option<String>), StoreError> {
        let key = store.keys().event_sources();
        let Some(object) = store.get(&key, MOST_BYTES).await? else { return Ok((Self::default(), None)) };
        let stored =
            serde_json::from_slice(&object.bytes).map_err(|error| StoreError::damaged(&key, &error))?;
        Ok((stored, Some(object.etag)))
    }

    /// Replaces what is stored, unless it is not that of this ETag any more, or there is something now.
    ///
    /// # Errors
    /// When S3 fails; it may have been written then.
    pub async fn write(&self, store: &Store, etag: Option<&str>) -> Result<Written, StoreError> {
        let key = store.keys().event_sources();
        let json = serde_json::to_vec(self).map_err(|error| StoreError::unwritable(&key, &error))?;
        store.put(&key, json, JSON, etag.map_or(Condition::Absent, Condition::Unchanged)).await
    }

    /// The one that is enabled, if one is, and its UUID.
    pub fn enabled(&self) -> Option<(&str, &EventSourceMapping)> {
        let mut mappings = self.mappings.iter();
        mappings.find(|(_, mapping)| mapping.enabled).map(|(uuid, mapping)| (uuid.as_str(), mapping))
    }
}

impl EventSourceMapping {
    /// The execution that the message asks for, as an event with one record. Its id is the `MessageId`.
    ///
    /// # Errors
    /// When SQS's id of the message can't be an execution's, or the event be no JSON, which never happens.
    pub fn request(&self, message: &Message) -> Result<ExecutionRequest, BadMessage> {
        let bad = |reason: String| BadMessage { reason, known: None };
        let id = message.message_id.parse().map_err(|error| bad(format!("the MessageId: {error}")))?;
        let event = json!({"Records": [message.record(&self.queue_arn)]});
        let event = to_raw_value(&event).map_err(|error| bad(format!("the event: {error}")))?;
        let invoked_function_arn = Some(self.function_arn.clone());
        Ok(ExecutionRequest {
            id,
            function: self.function.clone(),
            version: self.version.clone(),
            revision: None,
            input: Input::Inline(event),
            submitted_at: message.sent_at,
            replay_of: None,
            invocation: Some(Box::new(Invocation { invoked_function_arn, ..Invocation::default() })),
            trace: message.trace.clone(),
        })
    }
}

/// The mappings, from memory for a few seconds.
#[derive(Clone, Debug)]
pub struct EventSourceCache {
    store: Store,
    remembered: Cache<(), Arc<EventSources>>,
}

impl EventSourceCache {
    /// Of those in this bucket.
    pub fn new(store: Store) -> Self {
        let remembered = Cache::builder().max_capacity(1).time_to_live(limits::MANIFEST_TTL).build();
        Self { store, remembered }
    }

    /// The mappings, at most a few seconds old.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn get(&self) -> Result<Arc<EventSources>, Arc<StoreError>> {
        let load = async { EventSources::read(&self.store).await.map(|(stored, _)| Arc::new(stored)) };
        self.remembered.try_get_with((), load).await
    }
}
