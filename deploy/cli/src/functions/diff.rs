//! `functions diff`: what two versions of a function differ in, or a version and a file.

use std::path::PathBuf;

use badlambda_client::{Client, Error};
use badlambda_shared::function::name::{FunctionName, VersionRef};
use clap::Args;

use crate::code::diff::{Side, config_text, difference};
use crate::code::read_code;
use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::output::{Failure, print_styled};

/// Arguments of `functions diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a zip, it tells which files were added, removed and changed, and how, where they are \
                        text.\n\nExamples:\n  $ badlambda functions diff hello 1\n  $ badlambda functions diff hello 1 2\n  $ \
                        badlambda functions diff hello --file hello.rb"
)]
pub struct DiffArguments {
    /// The function.
    name: FunctionName,
    /// The older version: a number, an alias or $LATEST.
    #[arg(default_value = "$LATEST")]
    from: VersionRef,
    /// The newer version.
    #[arg(default_value = "$LATEST", conflicts_with = "file")]
    to: VersionRef,
    /// Compare with this Ruby file, zip or folder in place of a newer version; `-` reads it from stdin.
    #[arg(long, value_name = "FILE|DIR")]
    file: Option<PathBuf>,
}

/// Prints the difference; without one, nothing.
pub async fn diff(connection: &ConnectionArguments, arguments: DiffArguments) -> Result<(), Failure> {
    let client = &connection.connect()?;
    let DiffArguments { name, from, to, file } = arguments;
    let newer = match file {
        Some(file) => {
            Ok(Side { name: file.display().to_string(), code: Some(read_code(&file)?), config: None })
        }
        None => side(client, &name, &to).await,
    };
    let older = explained(client, &name, side(client, &name, &from).await).await?;
    let newer = explained(client, &name, newer).await?;
    print_styled(&difference(&older, &newer)?)
}

async fn side(client: &Client, function: &FunctionName, version: &VersionRef) -> Result<Side, Error> {
    let found = client.get_version(function, version).await?;
    let number = VersionRef::Number(found.version);
    let code = client.get_version_code(function, &number).await?;
    let config = config_text(&found.content.config);
    Ok(Side { name: format!("{function} {number}"), code: Some(code), config: Some(config) })
}
