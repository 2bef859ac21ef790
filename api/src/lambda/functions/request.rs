//! What CreateFunction and UpdateFunctionConfiguration say of a function beside its code. What Lambda has and Bad Lambda has
//! not is refused by name, unless it says what holds anyway.

use std::collections::BTreeMap;

use badlambda_shared::execution::destinations::QueueArn;
use badlambda_shared::function::FunctionConfig;
use badlambda_shared::function::lambda::LambdaSettings;
use badlambda_shared::limits;
use serde::Deserialize;
use serde_json::Value;

use super::logging::LoggingConfig;
use super::{environment, runtime};
use crate::app::App;
use crate::lambda::checks::{Checks, Pattern};
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::layers;

const MIB: u64 = 1024 * 1024;

const ROLE: Pattern =
    Pattern { text: r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+", matches: is_role };
const HANDLER: Pattern = Pattern { text: r"[^\s]+", matches: |text| !text.contains(char::is_whitespace) };
const TARGET: Pattern = Pattern {
    text: r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()",
    matches: |text| text.is_empty() || text.starts_with("arn:aws"),
};
/// What is to hold of a function; what is `None` stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ConfigurationRequest {
    role: Option<String>,
    handler: Option<String>,
    runtime: Option<String>,
    description: Option<String>,
    timeout: Option<i64>,
    memory_size: Option<i64>,
    environment: Option<Environment>,
    ephemeral_storage: Option<EphemeralStorage>,
    dead_letter_config: Option<DeadLetterConfig>,
    tracing_config: Option<TracingConfig>,
    logging_config: Option<LoggingConfig>,
    snap_start: Option<SnapStart>,
    layers: Option<Vec<String>>,
    vpc_config: Option<Value>,
    file_system_configs: Option<Value>,
    image_config: Option<Value>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<Value>,
    durable_config: Option<Value>,
    tenancy_config: Option<Value>,
    capacity_provider_config: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Environment {
    variables: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EphemeralStorage {
    size: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeadLetterConfig {
    target_arn: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TracingConfig {
    mode: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SnapStart {
    apply_on: Option<String>,
}

impl ConfigurationRequest {
    /// Notes what does not satisfy the model.
    pub(super) fn check_model(&self, checks: &mut Checks) {
        let text = |checks: &mut Checks, value: &Option<String>, path, pattern| {
            if let Some(value) = value {
                checks.pattern(value, path, pattern);
            }
        };
        text(checks, &self.role, "role", ROLE);
        text(checks, &self.handler, "handler", HANDLER);
        if let Some(handler) = &self.handler {
            checks.length(handler, "handler", 0..=128);
        }
        if let Some(description) = &self.description {
            checks.length(description, "description", 0..=256);
        }
        if let Some(timeout) = self.timeout {
            checks.number(timeout, "timeout", 1..=5400);
        }
        if let Some(memory) = self.memory_size {
            checks.number(memory, "memorySize", 128..=32_768);
        }
        if let Some(variables) = self.variables() {
            environment::check_names(variables, checks);
        }
        if let Some(EphemeralStorage { size }) = &self.ephemeral_storage {
            match size {
                Some(size) => checks.number(*size, "ephemeralStorage.size", 512..=32_768),
                None => checks.missing("ephemeralStorage.size"),
            }
        }
        if let Some(target) = &self.dead_letter_config {
            text(checks, &target.target_arn, "deadLetterConfig.targetArn", TARGET);
        }
        if let Some(TracingConfig { mode: Some(mode) }) = &self.tracing_config {
            checks.one_of(mode, "tracingConfig.mode", &["Active", "PassThrough"]);
        }
        if let Some(SnapStart { apply_on: Some(apply_on) }) = &self.snap_start {
            checks.one_of(apply_on, "snapStart.applyOn", &["PublishedVersions", "None"]);
        }
        if let Some(logging) = &self.logging_config {
            logging.check_model(checks);
        }
        if let Some(arns) = &self.layers {
            layers::check_arns(arns, checks);
        }
    }

    /// What the model allows and Lambda, or Bad Lambda, does not.
    pub(super) fn check_values(&self) -> Result<(), Refusal> {
        let absent = [
            ("VpcConfig", &self.vpc_config),
            ("FileSystemConfigs", &self.file_system_configs),
            ("ImageConfig", &self.image_config),
            ("KMSKeyArn", &self.kms_key_arn),
            ("DurableConfig", &self.durable_config),
            ("TenancyConfig", &self.tenancy_config),
            ("CapacityProviderConfig", &self.capacity_provider_config),
        ];
        let asked_for =
            absent.iter().find(|(_, value)| value.as_ref().is_some_and(|value| !is_nothing(value)));
        if let Some((name, _)) = asked_for {
            return Err(Refusal::unsupported(name));
        }
        if let Some(SnapStart { apply_on: Some(apply_on) }) = &self.snap_start
            && apply_on != "None"
        {
            return Err(Refusal::unsupported("SnapStart"));
        }
        let target = self.dead_letter_config.as_ref().and_then(|config| config.target_arn.as_deref());
        if target.is_some_and(|target| !target.is_empty() && QueueArn::parse(target).is_none()) {
            return Err(Refusal::unsupported("dead-letter targets other than queues of SQS"));
        }
        if let Some(runtime) = &self.runtime {
            runtime::check(runtime)?;
        }
        self.variables().map_or(Ok(()), environment::check)
    }

    pub(super) fn handler(&self) -> Option<&str> {
        self.handler.as_deref()
    }

    pub(super) fn role(&self) -> Option<&String> {
        self.role.as_ref()
    }

    pub(super) fn has_runtime(&self) -> bool {
        self.runtime.is_some()
    }

    fn variables(&self) -> Option<&BTreeMap<String, String>> {
        self.environment.as_ref().and_then(|environment| environment.variables.as_ref())
    }

    /// Changes what the request names, and leaves the rest.
    pub(super) fn apply(&self, config: &mut FunctionConfig, settings: &mut LambdaSettings) {
        let replace = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        replace(&mut settings.role, &self.role);
        replace(&mut settings.runtime, &self.runtime);
        replace(&mut config.handler, &self.handler);
        if let Some(description) = &self.description {
            settings.description.clone_from(description);
        }
        if let Some(seconds) = self.timeout {
            config.timeout_ms = seconds.unsigned_abs() * 1000;
        }
        if let Some(memory) = self.memory_size.map(i64::unsigned_abs) {
            config.memory_mb = memory.min(*limits::MEMORY_MB.range.end());
            settings.memory_mb = (config.memory_mb != memory).then_some(memory);
        }
        if let Some(size) = self.ephemeral_storage.as_ref().and_then(|storage| storage.size) {
            let most = *limits::MAX_SCRATCH_BYTES.range.end();
            let size = size.unsigned_abs();
            config.max_scratch_bytes = (size * MIB).min(most);
            settings.ephemeral_mb = (config.max_scratch_bytes != size * MIB).then_some(size);
        }
        if self.environment.is_some() {
            config.environment = self.variables().cloned().unwrap_or_default();
            settings.has_environment = true;
        }
        if let Some(DeadLetterConfig { target_arn }) = &self.dead_letter_config {
            settings.dead_letter_target = target_arn.clone().filter(|target| !target.is_empty());
        }
        if let Some(TracingConfig { mode }) = &self.tracing_config {
            replace(&mut settings.tracing, mode);
        }
        if let Some(logging) = &self.logging_config {
            logging.apply(settings.logging.get_or_insert_default());
        }
    }

    /// The same for layers, each of which must be there.
    pub(super) async fn apply_layers(&self, app: &App, config: &mut FunctionConfig) -> Result<(), WireError> {
        if let Some(arns) = &self.layers {
            config.layers = layers::choose(app, arns).await?;
        }
        Ok(())
    }
}

fn is_role(role: &str) -> bool {
    let account_and_name = || {
        let (partition, rest) = role.strip_prefix("arn:")?.split_once(":iam::")?;
        let (account, name) = rest.split_once(":role")?;
        let name = name.strip_prefix('/').unwrap_or(name);
        let is_partition = partition.is_empty() || partition.starts_with("aws");
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c));
        Some(is_partition && is_account && is_name)
    };
    account_and_name().unwrap_or(false)
}

/// Whether a value asks for nothing: tools send what is empty to take something away.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.iter().all(is_nothing),
        Value::Object(members) => members.values().all(is_nothing),
        Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_an_arn_of_iam() {
        for (role, is_one) in [
            ("arn:aws:iam::123456789012:role/a/b-c", true),
            ("arn:aws-cn:iam::123456789012:role/x", true),
            ("r1", false),
            ("arn:aws:iam::1234:role/x", false),
            ("arn:aws:iam::123456789012:user/x", false),
            ("arn:aws:iam::123456789012:role/", false),
        ] {
            assert_eq!(is_role(role), is_one, "{role}");
        }
    }

    #[test]
    fn what_asks_for_nothing_is_no_reason_to_refuse() {
        let refusal =
            |json: Value| serde_json::from_value::<ConfigurationRequest>(json).unwrap().check_values();
        let nothing = serde_json::json!({
            "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": false},
            "KMSKeyArn": "", "FileSystemConfigs": [], "SnapStart": {"ApplyOn": "None"}, "Layers": [],
        });
        assert_eq!(refusal(nothing), Ok(()));
        for something in [
            serde_json::json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}}),
            serde_json::json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}),
            serde_json::json!({"Runtime": "nodejs20.x"}),
        ] {
            assert!(refusal(something).is_err());
        }
    }
}
