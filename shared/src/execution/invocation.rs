//! What a caller says of an execution beside its input.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::execution::destinations::Destinations;
use crate::timestamp::Timestamp;

/// What the function's `context` tells of the call, and what holds for this call alone, as AWS Lambda's callers say it. A
/// message may leave all of it out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Invocation {
    /// The ARN by which the function was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_function_arn: Option<String>,
    /// What the calling program says of itself: JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_context: Option<Box<RawValue>>,
    /// For whom the caller calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// In place of the config's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Destinations>,
    /// In place of the config's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u64>,
    /// How long after it was submitted an attempt may begin, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u64>,
}

impl Invocation {
    /// Whether it is too late to begin an attempt at what was submitted at this time.
    pub fn is_over(&self, submitted_at: Timestamp, now: Timestamp) -> bool {
        self.max_age_seconds.is_some_and(|seconds| submitted_at.until(now) > Duration::from_secs(seconds))
    }
}
