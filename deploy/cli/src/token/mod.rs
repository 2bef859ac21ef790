//! `badlambda token`: makes tokens for an API, and tells which there are. `new` makes one, `list` reads a list, `file` is the
//! file that holds one. It asks nobody: an API reads its tokens when it starts.

mod file;
mod list;
mod new;

use clap::{Args, Subcommand};

use crate::output::Failure;

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct TokenArguments {
    #[command(subcommand)]
    command: TokenCommand,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, print it this once, and the entry that lets an API know it.
    New(new::NewArguments),
    /// List the tokens of a list, and what they may be used for.
    List(list::ListArguments),
}

/// Runs one of the commands.
pub fn token(arguments: &TokenArguments) -> Result<(), Failure> {
    match &arguments.command {
        TokenCommand::New(arguments) => new::new(arguments),
        TokenCommand::List(arguments) => list::list(arguments),
    }
}
