//! What a caller says of an execution beside its input.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What the function's `context` tells of the call, as AWS Lambda's callers say it. A message may leave all of it out.
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
}
