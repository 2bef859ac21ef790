//! What the tools take. The comments are what a model reads.

use std::sync::LazyLock;

use badlambda_shared::function::name::{FunctionName, VersionRef};
use rmcp::schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct RunRuby {
    /// Ruby code. The value of the last expression is the result; `event` is the input. Or it defines
    /// `handler(event:, context:)`.
    pub(super) code: String,
    /// The input: any JSON value, null by default.
    #[serde(default)]
    pub(super) input: Value,
    /// Limits and permissions.
    #[serde(default)]
    #[schemars(schema_with = "config")]
    pub(super) config: Map<String, Value>,
    /// For how many seconds the end is waited for.
    #[serde(default = "default_wait")]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct InvokeFunction {
    /// The function.
    #[schemars(with = "String")]
    pub(super) function: FunctionName,
    /// The input: any JSON value, null by default.
    #[serde(default)]
    pub(super) input: Value,
    /// Which version: a number, an alias or $LATEST, which is the default.
    #[schemars(with = "Option<String>")]
    pub(super) version: Option<VersionRef>,
    /// For how many seconds the end is waited for.
    #[serde(default = "default_wait")]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct ListFunctions {
    /// How many, at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) limit: usize,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct ShowFunction {
    /// The function.
    #[schemars(with = "String")]
    pub(super) function: FunctionName,
    /// Which version: a number, an alias or $LATEST, which is the default.
    #[schemars(with = "Option<String>")]
    pub(super) version: Option<VersionRef>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct GetExecution {
    /// The execution: its id, or FUNCTION/ID.
    pub(super) execution: String,
    /// For how many seconds its end is waited for, where it has not ended.
    #[serde(default)]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct GetLogs {
    /// The execution: its id, or FUNCTION/ID.
    pub(super) execution: String,
    /// Where to begin, in bytes.
    #[serde(default)]
    pub(super) offset: usize,
    /// How much to return, in bytes.
    #[serde(default = "default_log_bytes")]
    #[schemars(range(min = 4, max = 262144))]
    pub(super) max_bytes: usize,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct ListExecutions {
    /// Those of this function; without, of all.
    #[schemars(with = "Option<String>")]
    pub(super) function: Option<FunctionName>,
    /// Those that stand like this: running, succeeded, failed, cancelled.
    pub(super) status: Option<String>,
    /// Those whose error is of this kind, such as exception or timeout.
    pub(super) kind: Option<String>,
    /// Those that ended at this time or later: RFC 3339, or 15m, 2h, 7d ago.
    pub(super) since: Option<String>,
    /// Those that ended before this time.
    pub(super) until: Option<String>,
    /// How many, at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) limit: usize,
}

/// Clients wait for a minute, as a rule.
fn default_wait() -> u64 {
    50
}

fn default_limit() -> usize {
    50
}

fn default_log_bytes() -> usize {
    super::answer::MOST_LOG_BYTES
}

/// The schema of a config: the API's own, with its units and limits, without what only concerns records.
fn config(_: &mut SchemaGenerator) -> Schema {
    static CONFIG: LazyLock<Value> = LazyLock::new(|| {
        let document: Value = serde_json::from_str(badlambda_api::openapi_document()).unwrap_or_default();
        let mut config = document["components"]["schemas"]["FunctionConfigRequest"].clone();
        if let Some(properties) = config["properties"].as_object_mut() {
            properties.retain(|name, _| !["keep_input", "store_result"].contains(&name.as_str()));
        }
        config
    });
    Schema::try_from(CONFIG.clone()).unwrap_or_default()
}
