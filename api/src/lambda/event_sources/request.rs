//! What CreateEventSourceMapping and UpdateEventSourceMapping say.

use badlambda_shared::function::event_sources::EventSourceMapping;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::lambda::checks::{Checks, Pattern};
use crate::lambda::errors::{Refusal, WireError};

/// Messages of an event, where a mapping says nothing else.
const USUAL_BATCH_SIZE: u32 = 10;
/// More are only gathered by who waits for them.
const MOST_WITHOUT_WINDOW: i64 = 10;

const SOURCE: Pattern = Pattern {
    text: r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
    matches: is_arn,
};

/// Parameters of AWS's that are not here.
const UNSUPPORTED: [&str; 23] = [
    "AmazonManagedKafkaEventSourceConfig",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "DocumentDBEventSourceConfig",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KMSKeyArn",
    "LoggingConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "Queues",
    "ScalingConfig",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Tags",
    "Topics",
    "TumblingWindowInSeconds",
];

/// What is to hold; what is `None` stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MappingRequest {
    pub(super) event_source_arn: Option<String>,
    pub(super) function_name: Option<String>,
    enabled: Option<bool>,
    batch_size: Option<i64>,
    maximum_batching_window_in_seconds: Option<i64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl MappingRequest {
    /// Notes what does not satisfy the model.
    pub(super) fn check_model(&self, checks: &mut Checks) {
        if let Some(arn) = &self.event_source_arn {
            checks.pattern(arn, "eventSourceArn", SOURCE);
        }
        if let Some(size) = self.batch_size {
            checks.number(size, "batchSize", 1..=10_000);
        }
        if let Some(seconds) = self.maximum_batching_window_in_seconds {
            checks.number(seconds, "maximumBatchingWindowInSeconds", 0..=300);
        }
    }

    /// Refuses what is not here, by name. A parameter that asks for nothing is none.
    pub(super) fn check_others(&self) -> Result<(), WireError> {
        for (name, value) in &self.others {
            if !UNSUPPORTED.contains(&name.as_str()) {
                return Err(Refusal::unreadable(format!("unknown field `{name}`")).into());
            }
            if !asks_for_nothing(value) {
                return Err(Refusal::unsupported(&format!("{name} of event source mappings")).into());
            }
        }
        Ok(())
    }

    /// Changes what the request names, and leaves the rest.
    pub(super) fn apply(&self, mapping: &mut EventSourceMapping) -> Result<(), Refusal> {
        let number = |new: Option<i64>, old: u32| new.and_then(|new| u32::try_from(new).ok()).unwrap_or(old);
        mapping.enabled = self.enabled.unwrap_or(mapping.enabled);
        mapping.batch_size = number(self.batch_size, mapping.batch_size);
        mapping.batching_window_seconds =
            number(self.maximum_batching_window_in_seconds, mapping.batching_window_seconds);
        mapping.modified_at = Timestamp::now();
        if i64::from(mapping.batch_size) > MOST_WITHOUT_WINDOW && mapping.batching_window_seconds == 0 {
            return Err(Refusal::invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
            ));
        }
        Ok(())
    }
}

/// A mapping as it is where a request says nothing.
pub(super) fn usual(queue_arn: String, target: super::stored::Target) -> EventSourceMapping {
    let super::stored::Target { function, version, arn } = target;
    EventSourceMapping {
        queue_arn,
        function,
        version,
        function_arn: arn,
        enabled: true,
        batch_size: USUAL_BATCH_SIZE,
        batching_window_seconds: 0,
        modified_at: Timestamp::now(),
    }
}

fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.values().all(asks_for_nothing),
        _ => false,
    }
}

fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, service, _, account, _]
        if partition.starts_with("aws") && !service.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()))
}
