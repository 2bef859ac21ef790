//! `executions list` and `show`.

use badlambda_client::{ExecutionFilter, collect_pages};
use badlambda_shared::execution::{ErrorKind, Execution, ListedExecution};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use clap::Args;
use serde_json::value::RawValue;

use crate::connection::ConnectionArguments;
use crate::executions::find::{EXECUTION, find_execution};
use crate::output::{Failure, OutputArguments, Table, shown};

/// The fields of an execution in a list.
pub const LISTED_FIELDS: [&str; 12] = [
    "id",
    "function",
    "version",
    "status",
    "url",
    "submitted_at",
    "started_at",
    "finished_at",
    "attempts",
    "usage",
    "result",
    "error",
];

/// The fields of an execution.
pub const EXECUTION_FIELDS: [&str; 23] = [
    "id",
    "function",
    "version",
    "revision",
    "status",
    "url",
    "submitted_at",
    "started_at",
    "finished_at",
    "attempts",
    "usage",
    "input",
    "replay_of",
    "result",
    "result_url",
    "result_bytes",
    "result_encoding",
    "logs_tail",
    "logs_url",
    "logs_truncated",
    "urls_expire_at",
    "isolation",
    "error",
];

const HEAD: [&str; 6] = ["id", "function", "version", "status", "finished", "outcome"];

/// Arguments of `executions list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda executions list --status failed --since 2h")]
pub struct ListArguments {
    /// Those of this function.
    #[arg(long, value_name = "NAME")]
    function: Option<FunctionName>,
    /// Those that stand like this: running, succeeded, failed, cancelled.
    #[arg(long)]
    status: Option<String>,
    /// Those whose error is of this kind, such as exception or timeout.
    #[arg(long)]
    kind: Option<String>,
    /// Those of this version.
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// Those that ended at this time or later: RFC 3339, or 15m, 2h, 7d ago.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those that ended before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many, at most.
    #[arg(long, value_name = "N", default_value_t = limits::PAGE)]
    limit: usize,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `executions show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda executions show \"$ID\" --jq .usage.wall_ms")]
pub struct ShowArguments {
    #[arg(value_name = "EXECUTION", help = EXECUTION)]
    execution: String,
    #[command(flatten)]
    output: OutputArguments,
}

/// Lists what ended, the newest first, and before it what has run for over 5 s.
pub async fn list(connection: &ConnectionArguments, arguments: ListArguments) -> Result<(), Failure> {
    let ListArguments { function, status, kind, version, since, until, limit, output } = arguments;
    let Some(output) = output.open(&LISTED_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let filter = ExecutionFilter { status, kind, version, since, until };
    let executions = collect_pages(limit, limits::MAX_LISTED, async |range| match &function {
        Some(function) => client.list_function_executions(function, &filter, range).await,
        None => client.list_executions(&filter, range).await,
    })
    .await?;
    output.print_all(&executions, || Table::new(&HEAD, executions.iter().map(listed)))
}

/// Shows one execution.
pub async fn show(connection: &ConnectionArguments, arguments: ShowArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&EXECUTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let (function, id) = find_execution(client, &arguments.execution).await?;
    let execution = client.get_execution(&function, &id, None).await?;
    output.print_one(&execution, || described(&execution))
}

fn listed(execution: &ListedExecution) -> Vec<String> {
    let error = execution.error.as_ref().map(|error| summary(error.kind, &error.message));
    vec![
        execution.id.to_string(),
        execution.function.to_string(),
        shown(execution.version),
        execution.status.name().to_owned(),
        shown(execution.finished_at),
        error.or(json(execution.result.as_deref())).unwrap_or_default(),
    ]
}

/// An execution, a line for each thing that there is to say of it.
pub fn described(execution: &Execution) -> Table {
    let usage = execution.usage.as_ref();
    let rows = [
        ("id", Some(execution.id.to_string())),
        ("function", Some(execution.function.to_string())),
        ("version", execution.version.map(|version| version.to_string())),
        ("status", Some(execution.status.name().to_owned())),
        ("submitted", Some(execution.submitted_at.to_string())),
        ("started", execution.started_at.map(|time| time.to_string())),
        ("finished", execution.finished_at.map(|time| time.to_string())),
        ("attempts", Some(execution.attempts.to_string())),
        ("wall_ms", usage.map(|usage| usage.wall_ms.to_string())),
        ("cpu_ms", usage.map(|usage| usage.cpu_ms.to_string())),
        ("max_rss_bytes", usage.map(|usage| usage.max_rss_bytes.to_string())),
        ("replay_of", execution.replay_of.as_ref().map(ToString::to_string)),
        ("input", json(execution.input.as_deref())),
        ("result", json(execution.result.as_deref())),
        ("error", execution.error.as_ref().map(|error| summary(error.kind, &error.message))),
    ];
    Table::of_fields(rows.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn json(json: Option<&RawValue>) -> Option<String> {
    json.map(|json| json.get().to_owned())
}

fn summary(kind: ErrorKind, message: &str) -> String {
    format!("{}: {message}", kind.name())
}
