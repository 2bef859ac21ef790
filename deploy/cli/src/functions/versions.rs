//! `functions versions` and `code`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use badlambda_client::{Code, collect_pages};
use badlambda_shared::function::Version;
use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::limits;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::functions::list::form;
use crate::output::{Failure, OutputArguments, Table, print, print_bytes};

/// The fields of a version.
pub const VERSION_FIELDS: [&str; 9] = [
    "function",
    "version",
    "revision",
    "code_sha256",
    "code_bytes",
    "code_type",
    "form",
    "config",
    "created_at",
];

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
#[command(
    after_help = "Examples:\n  $ badlambda functions code hello --version 1\n  $ badlambda functions code shout --output \
                        shout.zip"
)]
pub struct CodeArguments {
    /// The function.
    name: FunctionName,
    /// Which version: a number, an alias or $LATEST.
    #[arg(long, value_name = "VERSION", default_value = "$LATEST")]
    version: VersionRef,
    /// Write it to this file: a Ruby file, or a zip.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
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

/// Prints the code, and nothing else. A terminal is no place for a zip.
pub async fn code(connection: &ConnectionArguments, arguments: CodeArguments) -> Result<(), Failure> {
    let CodeArguments { name, version, output } = arguments;
    let client = &connection.connect()?;
    let code = explained(client, &name, client.get_version_code(&name, &version).await).await?;
    match (output, code) {
        (Some(file), code) => fs::write(&file, code.bytes())
            .map_err(|error| Failure::Usage(format!("could not write {}: {error}", file.display()))),
        (None, Code::Ruby(code)) => print(&code),
        (None, Code::Zip(_)) if io::stdout().is_terminal() => Err(Failure::Usage(format!(
            "the code of {name} is a zip, which a terminal can't show; write it to a file with --output FILE"
        ))),
        (None, Code::Zip(zip)) => print_bytes(&zip),
    }
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
