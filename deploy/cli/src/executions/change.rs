//! `executions cancel` and `replay`.

use badlambda_client::Submit;
use badlambda_shared::function::name::VersionRef;
use clap::Args;
use serde_json::value::RawValue;

use crate::connection::ConnectionArguments;
use crate::executions::find::{EXECUTION, find_execution};
use crate::executions::list::EXECUTION_FIELDS;
use crate::input::read_json;
use crate::invoke::finish;
use crate::output::{Failure, OutputArguments, say};

/// Arguments of `executions cancel`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda executions cancel \"$QUEUED\"")]
pub struct CancelArguments {
    #[arg(value_name = "EXECUTION", help = EXECUTION)]
    execution: String,
}

/// Arguments of `executions replay`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda executions replay \"$ID\" '{\"name\": \"Grace\"}'")]
pub struct ReplayArguments {
    #[arg(value_name = "EXECUTION", help = EXECUTION)]
    execution: String,
    /// Another input, as JSON; `-` reads it from stdin [default: the same again].
    #[arg(allow_hyphen_values = true)]
    input: Option<String>,
    /// Another version: a number, an alias or $LATEST.
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionRef>,
    /// Print the new execution's id, and do not wait for its end.
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// Cancels an execution, queued or running.
pub async fn cancel(connection: &ConnectionArguments, arguments: CancelArguments) -> Result<(), Failure> {
    let client = &connection.connect()?;
    let (function, id) = find_execution(client, &arguments.execution).await?;
    client.cancel_execution(&function, &id).await?;
    say(&format!("{id} is cancelled; what runs is ended within some five seconds"));
    Ok(())
}

/// Executes again, and waits for the end.
pub async fn replay(connection: &ConnectionArguments, arguments: ReplayArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&EXECUTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let input = arguments.input.map(|input| read_json("the input", &input)).transpose()?;
    let input = input.map(RawValue::from_string).transpose();
    let input = input.map_err(|error| Failure::Usage(format!("the input is not JSON: {error}")))?;
    let (function, id) = find_execution(client, &arguments.execution).await?;
    let submit = Submit { version: arguments.version, ..Submit::default() };
    let execution = client.replay_execution(&function, &id, input.as_deref(), &submit).await?;
    finish(client, execution, arguments.detach, false, &output).await
}
