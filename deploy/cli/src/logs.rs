//! `badlambda logs`: what an execution logged.

use badlambda_client::{Client, Event};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::FunctionName;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::executions::find::{EXECUTION, find_execution};
use crate::executions::follow::follow_execution;
use crate::output::{Failure, Pieces, print, say};

/// Arguments of `logs`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda logs \"$ID\" --follow")]
pub struct LogsArguments {
    #[arg(value_name = "EXECUTION", help = EXECUTION)]
    execution: String,
    /// Print the logs as they come, until the execution has ended.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Prints the logs.
pub async fn logs(arguments: LogsArguments) -> Result<(), Failure> {
    let client = arguments.connection.connect()?;
    let (function, id) = find_execution(&client, &arguments.execution).await?;
    if arguments.follow { follow(&client, &function, &id).await } else { show(&client, &function, &id).await }
}

async fn show(client: &Client, function: &FunctionName, id: &ExecutionId) -> Result<(), Failure> {
    match client.get_execution_logs(function, id).await {
        Ok(mut logs) => {
            let mut pieces = Pieces::default();
            while let Some(piece) = logs.chunk().await? {
                pieces.print(&piece)?;
            }
            pieces.end()
        }
        Err(error) if error.is("no_logs") => Ok(()),
        Err(error) if error.is("not_finished") => {
            let execution = client.get_execution(function, id, None).await?;
            say("it has not ended: this is the end of its logs until now; --follow prints them as they come");
            print(execution.logs_tail.as_deref().unwrap_or_default())
        }
        Err(error) => Err(error.into()),
    }
}

async fn follow(client: &Client, function: &FunctionName, id: &ExecutionId) -> Result<(), Failure> {
    let mut end = 0;
    follow_execution(client, function, id, |event| match event {
        Event::Status(_) => Ok(()),
        Event::Logs { offset, text } => {
            if *offset > end {
                let left_out = offset - end;
                say(&format!(
                    "{left_out} bytes are left out here; `badlambda logs {function}/{id}` has them at the end"
                ));
            }
            end = offset + text.len() as u64;
            print(text)
        }
    })
    .await
    .map(drop)
}
