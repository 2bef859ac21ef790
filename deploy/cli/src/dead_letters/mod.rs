//! `badlambda dead-letters`: [`list`] looks at what was given up, [`remove`] sends it back to the queue, or away.

pub mod list;
pub mod remove;

use badlambda_client::DeadLetterFilter;
use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::output::Failure;

/// Arguments of `dead-letters`.
#[derive(Debug, Args)]
pub struct DeadLettersArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: DeadLettersCommand,
}

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, in no order.
    List(list::ListArguments),
    /// Show one, with its whole body.
    Show(list::ShowArguments),
    /// Send one back to the queue, or many.
    Redrive(remove::RedriveArguments),
    /// Delete one, or many.
    Purge(remove::PurgeArguments),
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
pub struct FilterArguments {
    /// Those with this kind, such as not_found, or with this in their reason's sentence.
    #[arg(long)]
    reason: Option<String>,
    /// Those of this function.
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
}

/// Runs one of the commands.
pub async fn dead_letters(arguments: DeadLettersArguments) -> Result<(), Failure> {
    let connection = &arguments.connection;
    match arguments.command {
        DeadLettersCommand::List(arguments) => list::list(connection, arguments).await,
        DeadLettersCommand::Show(arguments) => list::show(connection, arguments).await,
        DeadLettersCommand::Redrive(arguments) => remove::redrive(connection, arguments).await,
        DeadLettersCommand::Purge(arguments) => remove::purge(connection, arguments).await,
    }
}

impl From<FilterArguments> for DeadLetterFilter {
    fn from(FilterArguments { reason, function }: FilterArguments) -> Self {
        Self { reason, function }
    }
}
