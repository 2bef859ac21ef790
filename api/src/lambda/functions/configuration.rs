//! A function's configuration, as AWS Lambda shows it.

use badlambda_shared::function::FunctionConfig;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::lambda::{LambdaLogging, LambdaSettings};
use badlambda_shared::function::layer::Layer;
use badlambda_shared::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::find::Found;
use super::latest::{Latest, revision_id, revision_id_of_version};
use super::runtime::DEFAULT_RUNTIME;
use crate::lambda::names::LATEST;

const MIB: u64 = 1024 * 1024;

/// How a configuration is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// By itself.
    Alone,
    /// As the answer of CreateFunction: it has not been updated yet.
    Created,
    /// In a list.
    Listed,
}

/// The configuration of what was found, under the ARN by which it was asked for.
pub(crate) fn configuration(account: &Account, found: &Found, arn: &str, shown: Shown) -> Value {
    let Latest { content, settings } = found.latest();
    let name = found.manifest.name.as_str();
    let config = &content.config;
    let sha256 = hex::decode(&content.code_sha256).unwrap_or_default();
    let runtime = settings.runtime.as_deref().unwrap_or(DEFAULT_RUNTIME);
    let mut members = json!({
        "FunctionName": name,
        "FunctionArn": arn,
        "Runtime": runtime,
        "Role": settings.role.clone().unwrap_or_else(|| format!("arn:aws:iam::{}:role/badlambda", account.id)),
        "Handler": handler(config.handler.as_deref()),
        "CodeSize": content.code_bytes,
        "CodeSha256": STANDARD.encode(sha256),
        "Description": settings.description,
        "Timeout": config.timeout_ms.div_ceil(1000),
        "MemorySize": settings.memory_mb.unwrap_or(config.memory_mb),
        "EphemeralStorage":
            {"Size": settings.ephemeral_mb.unwrap_or_else(|| config.max_scratch_bytes.div_ceil(MIB))},
        "Architectures": [settings.architecture.as_deref().unwrap_or("x86_64")],
        "LoggingConfig": logging(name, settings.logging.as_ref()),
        "PackageType": "Zip",
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "TracingConfig": {"Mode": settings.tracing.as_deref().unwrap_or("PassThrough")},
        "LastModified": written(modified_at(found)),
        "Version": version(found),
        "RevisionId": match &found.version {
            None => revision_id(&found.manifest),
            Some(version) => revision_id_of_version(version),
        },
    });
    if let Value::Object(members) = &mut members {
        add_optional(members, &settings, config);
        if shown != Shown::Listed {
            add_states(members, &account.region, runtime, shown);
        }
    }
    members
}

fn add_optional(members: &mut Map<String, Value>, settings: &LambdaSettings, config: &FunctionConfig) {
    if settings.has_environment || !config.environment.is_empty() {
        members.insert("Environment".to_owned(), json!({"Variables": config.environment}));
    }
    if !config.layers.is_empty() {
        let shown = |layer: &Layer| json!({"Arn": layer.arn, "CodeSize": layer.code_bytes});
        members.insert("Layers".to_owned(), config.layers.iter().map(shown).collect());
    }
    if let Some(target) = &settings.dead_letter_target {
        members.insert("DeadLetterConfig".to_owned(), json!({"TargetArn": target}));
    }
}

fn add_states(members: &mut Map<String, Value>, region: &str, runtime: &str, shown: Shown) {
    let runtime_id = hex::encode(Sha256::digest(runtime));
    let arn = format!("arn:aws:lambda:{region}::runtime:{runtime_id}");
    members.insert("RuntimeVersionConfig".to_owned(), json!({"RuntimeVersionArn": arn}));
    members.insert("State".to_owned(), json!("Active"));
    if shown != Shown::Created {
        members.insert("LastUpdateStatus".to_owned(), json!("Successful"));
    }
}

/// A function of the rest of the API names a method alone, or none.
pub(super) fn handler(handler: Option<&str>) -> String {
    match handler {
        Some(full) if full.contains('.') => full.to_owned(),
        Some(method) => format!("function.{method}"),
        None => "function.handler".to_owned(),
    }
}

fn logging(name: &str, logging: Option<&LambdaLogging>) -> Value {
    let logging = logging.cloned().unwrap_or_default();
    let format = logging.format.as_deref().unwrap_or("Text");
    let group = logging.group.unwrap_or_else(|| format!("/aws/lambda/{name}"));
    if format == "Text" {
        return json!({"LogFormat": format, "LogGroup": group});
    }
    json!({
        "LogFormat": format,
        "LogGroup": group,
        "ApplicationLogLevel": logging.application_level.as_deref().unwrap_or("INFO"),
        "SystemLogLevel": logging.system_level.as_deref().unwrap_or("INFO"),
    })
}

/// As `Version` writes it.
pub(crate) fn version(found: &Found) -> String {
    found.version.as_ref().map_or_else(|| LATEST.to_owned(), |version| version.version.to_string())
}

fn modified_at(found: &Found) -> Timestamp {
    if let Some(version) = &found.version {
        return version.created_at;
    }
    let manifest = &found.manifest;
    let by_this_api = manifest.lambda.as_ref().and_then(|lambda| lambda.modified_at);
    by_this_api.map_or(manifest.newest().created_at, |at| at.max(manifest.newest().created_at))
}

/// As AWS Lambda writes times of functions.
pub(crate) fn written(at: Timestamp) -> String {
    at.to_string().replace('Z', "+0000")
}
