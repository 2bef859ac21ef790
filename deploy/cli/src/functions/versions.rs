//! `functions versions` and `code`.

use badlambda_client::collect_pages;
use badlambda_shared::function::Version;
use badlambda_shared::limits;
use badlambda_shared::name::{FunctionName, VersionRef};
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::functions::list::form;
use crate::output::{Failure, OutputArguments, Table, print};

/// The fields of a version.
pub const VERSION_FIELDS: [&str; 8] =
    ["function", "version", "revision", "code_sha256", "code_bytes", "form", "config", "created_at"];

const HEAD: [&str; 5] = ["version", "form", "code_bytes", "revision", "created"];

/// Arguments of `functions versions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda functions versions hello --jq '.[0].created_at'")]
pub struct VersionsArguments {
    /// The function.
    name: FunctionName,
    /// How many, at most.
    #[arg(long, value_name = "N", default_value_t = limits::PAGE)]
    limit: usize,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `functions code`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda functions code hello --version 1")]
pub struct CodeArguments {
    /// The function.
    name: FunctionName,
    /// Which version: a number, an alias or $LATEST.
    #[arg(long, value_name = "VERSION", default_value = "$LATEST")]
    version: VersionRef,
}

/// Lists versions, the newest first.
pub async fn list(connection: &ConnectionArguments, arguments: VersionsArguments) -> Result<(), Failure> {
    let VersionsArguments { name, limit, output } = arguments;
    let Some(output) = output.open(&VERSION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let fetched =
        collect_pages(limit, limits::MAX_PAGE, async |range| client.list_versions(&name, range).await).await;
    let versions = explained(client, &name, fetched).await?;
    output.print_all(&versions, || Table::new(&HEAD, versions.iter().map(row)))
}

/// Prints the code, and nothing else.
pub async fn code(connection: &ConnectionArguments, arguments: CodeArguments) -> Result<(), Failure> {
    let client = &connection.connect()?;
    let code = client.get_version_code(&arguments.name, &arguments.version).await;
    print(&explained(client, &arguments.name, code).await?)
}

fn row(version: &Version) -> Vec<String> {
    vec![
        version.version.to_string(),
        form(version.content.form).to_owned(),
        version.content.code_bytes.to_string(),
        version.revision.to_string(),
        version.created_at.to_string(),
    ]
}
