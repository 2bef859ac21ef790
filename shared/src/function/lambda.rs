//! What only AWS Lambda's wire API knows of a function. It stands in the function's manifest, and in its versions, beside
//! what both APIs know. What is absent has Lambda's default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::function::name::Alias;
use crate::timestamp::Timestamp;

/// What belongs to code and config, and is numbered with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LambdaSettings {
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// As `Role`; it gives no rights here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// As `Runtime`; what runs is the Ruby of the workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// As `MemorySize`, in MB, where it is not what the config says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// As `EphemeralStorage`, in MB, where it is not what the config says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_mb: Option<u64>,
    /// Whether `Environment` was given, perhaps empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_environment: bool,
    /// As `Architectures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// As `LoggingConfig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<LambdaLogging>,
    /// As the mode of `TracingConfig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<String>,
    /// As the target of `DeadLetterConfig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_target: Option<String>,
}

/// As `LoggingConfig`; the logs of all functions are kept with their executions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LambdaLogging {
    /// `Text` or `JSON`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The log group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The level of what functions log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_level: Option<String>,
    /// The level of what the runtime logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_level: Option<String>,
}

/// What belongs to a function as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LambdaFunction {
    /// Of `$LATEST`.
    pub settings: LambdaSettings,
    /// Another one after each change of `$LATEST`, of which its revision id is made.
    pub change: String,
    /// When code or config of `$LATEST` last changed by this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// Its tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// As `ReservedConcurrentExecutions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_concurrency: Option<u32>,
    /// As `RecursiveLoop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive_loop: Option<String>,
    /// What else is known of aliases.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<Alias, LambdaAlias>,
    /// How asynchronous invocations of each qualifier are dealt with.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub event_invoke: BTreeMap<String, LambdaEventInvoke>,
    /// Who may do what, by the qualifier, which is empty for the function itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, LambdaPolicy>,
}

impl LambdaFunction {
    /// Forgets what is known of a version or an alias, which is deleted.
    pub fn forget(&mut self, qualifier: &str) {
        self.event_invoke.remove(qualifier);
        self.policies.remove(qualifier);
    }
}

/// What this API alone knows of an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LambdaAlias {
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Another one after each change.
    pub change: String,
}

/// How asynchronous invocations are dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LambdaEventInvoke {
    /// When it last changed.
    pub modified_at: Timestamp,
    /// How often one that failed is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How old an event may become, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
    /// Where to send what succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// Where to send what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
}

/// A resource policy. It is kept and shown; tokens alone decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LambdaPolicy {
    /// Its statements, as they are shown.
    pub statements: Vec<Value>,
    /// Another one after each change.
    pub change: String,
}
