//! What an execution finds around it: its environment, and its context.

use std::collections::BTreeMap;

use badlambda_shared::function::Compatibility;
use badlambda_shared::function::account::Account;
use badlambda_shared::timestamp::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::task::Task;

/// Where programs are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// Characters of a revision that stand for it in the name of a log stream.
const LOG_STREAM_CHARS: usize = 32;

/// What is the same for all executions of a worker.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// Like `3.3.8`.
    pub(super) ruby_version: String,
    pub(super) account: Account,
}

/// What the Ruby runner inside an execution learns about it, as JSON.
#[derive(Serialize)]
struct Context<'a> {
    execution_id: &'a str,
    function_name: &'a str,
    function_version: u32,
    attempt: u32,
    deadline_ms: i64,
    memory_mb: u64,
    network: bool,
    subprocesses: bool,
    compatibility: Compatibility,
    /// The folder of the code, where it came in a zip.
    package: Option<&'a str>,
    invoked_function_arn: &'a str,
    log_group_name: &'a str,
    log_stream_name: &'a str,
    client_context: Option<&'a RawValue>,
    tenant_id: Option<&'a str>,
}

impl Surroundings {
    /// The context of this attempt, as JSON. A load has no `execution_id`: its context must not tell later executions
    /// which one came first, or what its caller said.
    pub(super) fn context(&self, task: &Task, execution_id: &str, started_at: Timestamp) -> Vec<u8> {
        let timeout_ms = i64::try_from(task.config.timeout_ms).unwrap_or(i64::MAX);
        let invocation = task.invocation.as_deref().filter(|_| !execution_id.is_empty());
        let named = invocation.and_then(|invocation| invocation.invoked_function_arn.clone());
        let arn = named.unwrap_or_else(|| self.account.function_arn(&task.function));
        let context = Context {
            execution_id,
            function_name: &task.function,
            function_version: task.version,
            attempt: task.attempt,
            deadline_ms: started_at.unix_ms().saturating_add(timeout_ms),
            memory_mb: task.config.memory_mb,
            network: task.config.network,
            subprocesses: task.config.subprocesses,
            compatibility: task.config.compatibility,
            package: task.package().map(|package| package.inside.as_str()),
            invoked_function_arn: &arn,
            log_group_name: &log_group(task),
            log_stream_name: &log_stream(task, started_at),
            client_context: invocation.and_then(|invocation| invocation.client_context.as_deref()),
            tenant_id: invocation.and_then(|invocation| invocation.tenant_id.as_deref()),
        };
        serde_json::to_vec(&context).unwrap_or_default()
    }

    /// The environment of a process that runs this version in the working directory `scratch`: `NAME=VALUE`, each
    /// with a NUL byte behind it.
    pub(super) fn environment(&self, task: &Task, scratch: &str) -> Vec<u8> {
        let mut variables: BTreeMap<&str, String> = [
            ("PATH", PATH.to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", scratch.to_owned()),
            ("TMPDIR", scratch.to_owned()),
            ("BADLAMBDA_FUNCTION_NAME", task.function.clone()),
            ("BADLAMBDA_FUNCTION_VERSION", task.version.to_string()),
        ]
        .into();
        if let Some(layers) = &task.layers {
            let layers = &layers.inside;
            variables.extend([
                ("PATH", format!("{PATH}:{layers}/bin")),
                ("BADLAMBDA_LAYERS_ROOT", layers.clone()),
            ]);
        }
        if task.config.compatibility == Compatibility::Lambda {
            variables.extend(self.of_lambda(task));
        }
        variables.extend(task.config.environment.iter().map(|(name, value)| (name.as_str(), value.clone())));
        joined(variables.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// What AWS Lambda's Ruby has in its environment. There are no credentials to give, and the runner adds `RUBYLIB` and
    /// `GEM_PATH`, since it knows which folders there are.
    fn of_lambda(&self, task: &Task) -> [(&'static str, String); 14] {
        let region = &self.account.region;
        let minor = self.ruby_version.rsplit_once('.').map_or("", |(minor, _)| minor);
        let root = task.package().map(|package| package.inside.clone()).unwrap_or_default();
        let handler = task.config.handler.clone().unwrap_or_default();
        [
            ("AWS_EXECUTION_ENV", format!("AWS_Lambda_ruby{minor}")),
            ("AWS_LAMBDA_FUNCTION_NAME", task.function.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", lambda_version(task.version)),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", task.config.memory_mb.to_string()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", log_group(task)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream(task, Timestamp::now())),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region.clone()),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
            ("LAMBDA_TASK_ROOT", root.clone()),
            ("PWD", root),
            ("TZ", ":UTC".to_owned()),
            ("_HANDLER", handler),
        ]
    }
}

/// The variables that an execution has in addition to its version's: the trace, under the names that
/// OpenTelemetry and AWS Lambda use. A name that the function's config sets to something else is left out.
pub(super) fn trace_environment(task: &Task) -> Vec<u8> {
    let variables = [("TRACEPARENT", task.trace.traceparent()), ("_X_AMZN_TRACE_ID", task.trace.xray())];
    let variables = variables.into_iter().filter_map(|(name, value)| Some((name, value?)));
    joined(variables.filter(|(name, _)| !task.config.environment.contains_key(*name)))
}

fn joined<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    variables.flat_map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect()
}

/// A version as AWS Lambda names it.
fn lambda_version(version: u32) -> String {
    if version == 0 { "$LATEST".to_owned() } else { version.to_string() }
}

fn log_group(task: &Task) -> String {
    format!("/aws/lambda/{}", task.function)
}

/// Day, version and revision, as AWS Lambda names its streams.
fn log_stream(task: &Task, started_at: Timestamp) -> String {
    let day: String = started_at.to_string().chars().take("2026-01-12".len()).collect();
    let revision: String = task.revision.chars().take(LOG_STREAM_CHARS).collect();
    format!("{}/[{}]{revision}", day.replace('-', "/"), lambda_version(task.version))
}
