//! `functions list` and `show`.

use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::{CodeType, Form, Function};
use badlambda_shared::limits;
use clap::Args;
use serde::Serialize;

use crate::connection::ConnectionArguments;
use crate::functions::{all_functions, explained};
use crate::output::{Failure, Output, OutputArguments, Table};

/// The fields of a function.
pub const FUNCTION_FIELDS: [&str; 12] = [
    "name",
    "version",
    "revision",
    "unpublished",
    "aliases",
    "code_sha256",
    "code_bytes",
    "code_type",
    "form",
    "config",
    "created_at",
    "updated_at",
];

const HEAD: [&str; 5] = ["name", "version", "form", "code_bytes", "updated"];

/// Arguments of `functions list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda functions list --json name,version")]
pub struct ListArguments {
    /// How many, at most.
    #[arg(long, value_name = "N", default_value_t = limits::PAGE)]
    limit: usize,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `functions show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda functions show hello --jq .config.timeout_ms")]
pub struct ShowArguments {
    /// The function.
    name: FunctionName,
    #[command(flatten)]
    output: OutputArguments,
}

/// Lists functions, by name.
pub async fn list(connection: &ConnectionArguments, arguments: ListArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&FUNCTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let functions = all_functions(client, arguments.limit).await?;
    output.print_all(&functions, || table(&functions))
}

/// Shows one function.
pub async fn show(connection: &ConnectionArguments, arguments: ShowArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&FUNCTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let function = client.get_function(&arguments.name).await;
    let function = explained(client, &arguments.name, function).await?.value;
    output.print_one(&function, || described(&function))
}

/// Prints a function that was changed, in one row.
pub fn print_changed(output: &Output, function: &Function) -> Result<(), Failure> {
    output.print_one(function, || table(std::slice::from_ref(function)))
}

/// A row for each function.
fn table(functions: &[Function]) -> Table {
    let row = |function: &Function| {
        vec![
            function.name.to_string(),
            function.version.to_string(),
            form(function.content.form).to_owned(),
            function.content.code_bytes.to_string(),
            function.updated_at.to_string(),
        ]
    };
    Table::new(&HEAD, functions.iter().map(row))
}

fn described(function: &Function) -> Table {
    let content = &function.content;
    let rows = [
        ("name", function.name.to_string()),
        ("version", function.version.to_string()),
        ("revision", function.revision.to_string()),
        ("aliases", json(&function.aliases)),
        ("form", form(content.form).to_owned()),
        ("code_type", code_type(content.code_type).to_owned()),
        ("code_bytes", content.code_bytes.to_string()),
        ("config", json(&content.config)),
        ("created", function.created_at.to_string()),
        ("updated", function.updated_at.to_string()),
    ];
    Table::of_fields(rows)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A form's name.
pub fn form(form: Form) -> &'static str {
    match form {
        Form::Script => "script",
        Form::Handler => "handler",
    }
}

/// What code is, as the API says it.
fn code_type(code_type: CodeType) -> &'static str {
    match code_type {
        CodeType::Ruby => "ruby",
        CodeType::Zip => "zip",
    }
}
