//! `badlambda functions`: [`list`] looks at functions, [`versions`] at their versions, [`diff`] at what changed, [`change`]
//! creates, changes and deletes them, [`alias`] moves names for versions.

pub mod alias;
pub mod change;
pub mod diff;
pub mod list;
pub mod versions;

use badlambda_client::{Client, Error, collect_pages};
use badlambda_shared::function::Function;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::output::{Failure, did_you_mean};

/// Arguments of `functions`.
#[derive(Debug, Args)]
pub struct FunctionsArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: FunctionsCommand,
}

/// What to do with functions.
#[derive(Debug, Subcommand)]
pub enum FunctionsCommand {
    /// Create a function.
    Create(change::CreateArguments),
    /// Publish a function's next version: other code, other config, or both.
    Update(change::UpdateArguments),
    /// List functions.
    List(list::ListArguments),
    /// Show one function.
    Show(list::ShowArguments),
    /// Print a version's code, or write it to a file.
    Code(versions::CodeArguments),
    /// List a function's versions, the newest first.
    Versions(versions::VersionsArguments),
    /// Print what two versions differ in, or a version and a file.
    Diff(diff::DiffArguments),
    /// Point an alias at a version, or remove it.
    Alias(alias::AliasArguments),
    /// Delete a function with all its versions.
    Delete(change::DeleteArguments),
}

/// Runs one of the commands.
pub async fn functions(arguments: FunctionsArguments) -> Result<(), Failure> {
    let connection = &arguments.connection;
    match arguments.command {
        FunctionsCommand::Create(arguments) => change::create(connection, arguments).await,
        FunctionsCommand::Update(arguments) => change::update(connection, arguments).await,
        FunctionsCommand::List(arguments) => list::list(connection, arguments).await,
        FunctionsCommand::Show(arguments) => list::show(connection, arguments).await,
        FunctionsCommand::Code(arguments) => versions::code(connection, arguments).await,
        FunctionsCommand::Versions(arguments) => versions::list(connection, arguments).await,
        FunctionsCommand::Diff(arguments) => diff::diff(connection, arguments).await,
        FunctionsCommand::Alias(arguments) => alias::alias(connection, arguments).await,
        FunctionsCommand::Delete(arguments) => change::delete(connection, arguments).await,
    }
}

/// Up to so many functions.
pub(crate) async fn all_functions(client: &Client, limit: usize) -> Result<Vec<Function>, Error> {
    collect_pages(limit, limits::MAX_PAGE, async |range| client.list_functions(range).await).await
}

/// What was answered about a function; or the failure, with a name that may be meant where there is no function of this one.
pub(crate) async fn explained<T>(
    client: &Client,
    name: &FunctionName,
    answered: Result<T, Error>,
) -> Result<T, Failure> {
    let error = match answered {
        Err(error) if error.is("function_not_found") => error,
        answered => return Ok(answered?),
    };
    // Whoever may not list functions gets no hint.
    let functions = all_functions(client, limits::MAX_PAGE).await.unwrap_or_default();
    let names = functions.iter().map(|function| function.name.as_str());
    Err(Failure::from(error).with_hint(&did_you_mean(name.as_str(), names)))
}
