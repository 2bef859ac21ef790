//! `executions watch`.

use badlambda_client::Event;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::executions::find::{EXECUTION, find_execution};
use crate::executions::follow::follow_execution;
use crate::executions::list::EXECUTION_FIELDS;
use crate::executions::outcome::failure_of;
use crate::output::{Failure, OutputArguments};

/// Arguments of `executions watch`.
#[derive(Debug, Args)]
#[command(
    after_help = "Its exit status is the execution's: 1 where the function failed.\n\nExample:\n  $ badlambda \
                        executions watch \"$ID\" --json status,attempts"
)]
pub struct WatchArguments {
    #[arg(value_name = "EXECUTION", help = EXECUTION)]
    execution: String,
    #[command(flatten)]
    output: OutputArguments,
}

/// Prints each change of an execution's status as it comes, until it has ended.
pub async fn watch(connection: &ConnectionArguments, arguments: WatchArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&EXECUTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let (function, id) = find_execution(client, &arguments.execution).await?;
    let execution = follow_execution(client, &function, &id, |event| match event {
        Event::Status(execution) => output.print_one(execution, || format!("{}\n", execution.status.name())),
        Event::Logs { .. } => Ok(()),
    });
    failure_of(&execution.await?)
}
