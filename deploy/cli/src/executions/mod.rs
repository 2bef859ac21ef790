//! `badlambda executions`: [`list`] looks at executions, [`watch`] waits for one, [`change`] ends and repeats them.
//! [`find`] tells which one is meant, [`follow`] listens to it, [`outcome`] is how it ended.

pub mod change;
pub mod find;
pub mod follow;
pub mod list;
pub mod outcome;
pub mod watch;

use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::output::Failure;

/// Arguments of `executions`.
#[derive(Debug, Args)]
pub struct ExecutionsArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: ExecutionsCommand,
}

/// What to do with executions.
#[derive(Debug, Subcommand)]
pub enum ExecutionsCommand {
    /// List what ended, the newest first, and before it what has run for over 5 s.
    List(list::ListArguments),
    /// Show one execution.
    Show(list::ShowArguments),
    /// Print each change of its status, until it has ended.
    Watch(watch::WatchArguments),
    /// Cancel it, queued or running.
    Cancel(change::CancelArguments),
    /// Execute again, with another input or version if given, and wait for the end.
    Replay(change::ReplayArguments),
}

/// Runs one of the commands.
pub async fn executions(arguments: ExecutionsArguments) -> Result<(), Failure> {
    let connection = &arguments.connection;
    match arguments.command {
        ExecutionsCommand::List(arguments) => list::list(connection, arguments).await,
        ExecutionsCommand::Show(arguments) => list::show(connection, arguments).await,
        ExecutionsCommand::Watch(arguments) => watch::watch(connection, arguments).await,
        ExecutionsCommand::Cancel(arguments) => change::cancel(connection, arguments).await,
        ExecutionsCommand::Replay(arguments) => change::replay(connection, arguments).await,
    }
}
