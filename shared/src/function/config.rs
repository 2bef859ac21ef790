//! What a function's code may use, and how it is run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::handler::Handler;
use crate::execution::destinations::{Destinations, QueueArn};
use crate::function::layer::Layer;
use crate::limits::{self, Setting};
use crate::whole_number;

/// How a function's code is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The value of the last expression is the result.
    Script,
    /// The code defines a handler; its top level runs once per version and template.
    Handler,
}

/// Whose surroundings the code finds: what is loaded, what is in `ENV`, which folder it starts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compatibility {
    /// Those of this system.
    #[default]
    None,
    /// Those of AWS Lambda.
    Lambda,
}

/// Which results are stored as objects of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreResult {
    /// All.
    #[default]
    Always,
    /// Those that are too large to stand in the record: for a short execution, that halves what S3 costs.
    Large,
}

/// A function's limits, permissions and environment. Every field is optional in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionConfig {
    /// Wall clock of one attempt, in milliseconds.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub timeout_ms: u64,
    /// Resident memory of all its processes, in MiB.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub memory_mb: u64,
    /// The result's size as JSON, in bytes.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub max_result_bytes: u64,
    /// How much of the logs is kept, in bytes.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub max_log_bytes: u64,
    /// The scratch folder's size, in bytes.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub max_scratch_bytes: u64,
    /// May open network connections, where the worker's operator allows it.
    pub network: bool,
    /// May start processes.
    pub subprocesses: bool,
    /// Processes and threads at once, where `subprocesses` is true.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub max_processes: u64,
    /// What `ENV` holds beside the documented names.
    #[schema(schema_with = crate::schema::environment)]
    pub environment: BTreeMap<String, String>,
    /// The method to call. Of a Ruby file it is a top-level method, where that is neither `handler` nor `lambda_handler`. Of a
    /// zip it is `file.method` or `file.Class.method`; without it, `function.rb` has one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^ ]+$")]
    pub handler: Option<String>,
    /// Whose surroundings the code finds: those of this system, or AWS Lambda's.
    pub compatibility: Compatibility,
    /// Versions of layers that are there beside the code, unpacked one over the other. AWS Lambda's API chooses them. What this
    /// one is sent must be what the function has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5)]
    pub layers: Vec<Layer>,
    /// How often a failed execution is tried again.
    #[serde(deserialize_with = "whole_number::deserialize")]
    pub retries: u64,
    /// Whether the input is kept with the record.
    pub keep_input: bool,
    /// Which results are stored beside the record.
    pub store_result: StoreResult,
    /// The ARN of an SQS queue that is told of executions that succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,80}$")]
    pub on_success: Option<String>,
    /// The ARN of an SQS queue that is told of executions that fail for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,80}$")]
    pub on_failure: Option<String>,
}

impl Default for FunctionConfig {
    fn default() -> Self {
        Self {
            timeout_ms: limits::TIMEOUT_MS.default,
            memory_mb: limits::MEMORY_MB.default,
            max_result_bytes: limits::MAX_RESULT_BYTES.default,
            max_log_bytes: limits::MAX_LOG_BYTES.default,
            max_scratch_bytes: limits::MAX_SCRATCH_BYTES.default,
            network: false,
            subprocesses: false,
            max_processes: limits::MAX_PROCESSES.default,
            environment: BTreeMap::new(),
            handler: None,
            compatibility: Compatibility::default(),
            layers: vec![],
            retries: limits::RETRIES.default,
            keep_input: true,
            store_result: StoreResult::default(),
            on_success: None,
            on_failure: None,
        }
    }
}

/// A field of `config` that was refused, and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config.{} {expected}", .field.join("."))]
pub struct ConfigFieldError {
    /// The field's name, with a variable's name behind it for `environment`.
    pub field: Vec<String>,
    /// What the field may hold, as the end of a sentence.
    pub expected: String,
}

impl FunctionConfig {
    /// Every field that is a number, by its name, with its value and what it may be.
    pub fn numbers(&self) -> [(&'static str, u64, &'static Setting); 7] {
        [
            ("timeout_ms", self.timeout_ms, &limits::TIMEOUT_MS),
            ("memory_mb", self.memory_mb, &limits::MEMORY_MB),
            ("max_result_bytes", self.max_result_bytes, &limits::MAX_RESULT_BYTES),
            ("max_log_bytes", self.max_log_bytes, &limits::MAX_LOG_BYTES),
            ("max_scratch_bytes", self.max_scratch_bytes, &limits::MAX_SCRATCH_BYTES),
            ("max_processes", self.max_processes, &limits::MAX_PROCESSES),
            ("retries", self.retries, &limits::RETRIES),
        ]
    }

    /// The fields that hold what they must not.
    pub fn refused_fields(&self) -> Vec<ConfigFieldError> {
        let out_of_range =
            self.numbers().into_iter().filter(|(_, value, setting)| !setting.range.contains(value));
        let mut refused_fields: Vec<ConfigFieldError> = out_of_range
            .map(|(field, value, setting)| {
                let (least, most) = (setting.range.start(), setting.range.end());
                refused(&[field], format!("must be from {least} to {most}; it is {value}"))
            })
            .collect();
        refused_fields.extend(self.refused_environment());
        // AWS Lambda finds out by the first execution.
        let is_handler = |handler: &String| match self.compatibility {
            Compatibility::None => Handler::of(handler).is_some(),
            Compatibility::Lambda => !handler.is_empty() && !handler.contains(char::is_whitespace),
        };
        let is_refused = |handler: &String| handler.len() > limits::MAX_HANDLER_BYTES || !is_handler(handler);
        if self.handler.as_ref().is_some_and(is_refused) {
            let expected =
                "must name a Ruby method: `method`, or for a zip `file.method` or `file.Class.method`";
            refused_fields.push(refused(&["handler"], expected));
        }
        let destinations = [("on_success", &self.on_success), ("on_failure", &self.on_failure)];
        let no_queues = destinations
            .into_iter()
            .filter(|(_, arn)| arn.as_ref().is_some_and(|arn| QueueArn::parse(arn).is_none()));
        refused_fields.extend(no_queues.map(|(field, _)| {
            refused(&[field], "must be the ARN of an SQS queue, like arn:aws:sqs:eu-west-1:111122223333:done")
        }));
        refused_fields
    }

    /// The size of what is in its layers, in bytes, all together.
    pub fn layers_bytes(&self) -> u64 {
        self.layers.iter().fold(0, |bytes, layer| layer.unpacked_bytes.saturating_add(bytes))
    }

    /// Where it is told how executions end.
    pub fn destinations(&self) -> Destinations {
        let (on_success, on_failure) = (self.on_success.clone(), self.on_failure.clone());
        Destinations { on_success, on_failure, dead_letters: None }
    }

    fn refused_environment(&self) -> Vec<ConfigFieldError> {
        let bytes: usize = self.environment.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > limits::MAX_ENVIRONMENT_BYTES {
            let most = limits::MAX_ENVIRONMENT_BYTES;
            let expected = format!("must hold at most {most} bytes; it holds {bytes}");
            return vec![refused(&["environment"], expected)];
        }
        let variables = self.environment.iter();
        let refused_variable = |(name, value): (&String, &String)| {
            refusal_of_variable(name, value).map(|expected| refused(&["environment", name], expected))
        };
        variables.filter_map(refused_variable).collect()
    }
}

fn refusal_of_variable(name: &str, value: &str) -> Option<&'static str> {
    if !is_variable_name(name) {
        Some("must be a name of letters, digits and underscores")
    } else if name.starts_with("BADLAMBDA_") {
        Some("must not begin with BADLAMBDA_, which is ours")
    } else if value.contains('\0') {
        Some("must not contain a NUL")
    } else {
        None
    }
}

fn refused(field: &[&str], expected: impl Into<String>) -> ConfigFieldError {
    let field = field.iter().map(|name| (*name).to_owned()).collect();
    ConfigFieldError { field, expected: expected.into() }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        let config: FunctionConfig = serde_json::from_str(json).unwrap();
        config.refused_fields().first().unwrap().to_string()
    }

    #[test]
    fn an_empty_config_is_the_defaults_of_the_contract() {
        let config: FunctionConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(config, FunctionConfig::default());
        assert_eq!(config.refused_fields(), []);
        assert_eq!((config.timeout_ms, config.memory_mb, config.max_processes), (30_000, 256, 16));
        assert_eq!(config.max_result_bytes, 6_291_456);
        assert_eq!((config.max_log_bytes, config.max_scratch_bytes), (1_048_576, 67_108_864));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        assert_eq!(refusal(r#"{"memory_mb": 1}"#), "config.memory_mb must be from 48 to 10240; it is 1");
        assert!(refusal(r#"{"timeout_ms": 39600001}"#).contains("config.timeout_ms"));
        assert!(refusal(r#"{"on_failure": "done"}"#).contains("config.on_failure must be the ARN"));
        assert!(refusal(r#"{"handler": "foo bar"}"#).contains("config.handler"));
        assert!(refusal(r#"{"environment": {"1A": ""}}"#).contains("config.environment.1A"));
        assert!(refusal(r#"{"environment": {"BADLAMBDA_X": ""}}"#).contains("ours"));
        let large = format!(r#"{{"environment": {{"A": "{}"}}}}"#, "x".repeat(4096));
        assert!(refusal(&large).contains("4096 bytes"));
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = serde_json::from_str::<FunctionConfig>(r#"{"tiemout_ms": 1}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `tiemout_ms`"), "{error}");
    }
}
