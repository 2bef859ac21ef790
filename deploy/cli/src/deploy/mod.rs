//! `badlambda deploy`: makes functions what their files say. `sources` finds out which functions are meant, `folder` which
//! there are in a folder, `settings` reads what `badlambda.toml` says of them, `change` is what that changes.

mod change;
mod folder;
mod settings;
mod sources;

use std::path::PathBuf;

use badlambda_client::Client;
use badlambda_shared::function::name::FunctionName;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::deploy::change::{Checked, Deployed, check};
use crate::deploy::sources::{Source, find_sources};
use crate::output::{Failure, Output, OutputArguments, Table, print};

/// The fields of what was deployed.
pub const DEPLOYED_FIELDS: [&str; 6] = ["name", "change", "version", "moved_aliases", "file", "diff"];

const HEAD: [&str; 5] = ["name", "change", "version", "moved aliases", "file"];

const ABOUT: &str = "A file is the function of its name, and so is a folder with a function.rb, with all there is below \
it but hidden files. Another folder is the functions of all its *.rb and of all its folders with a function.rb. Beside \
them, or in a function's folder, badlambda.toml may say more:\n\n  [functions.hello]\n  file = \"greeting.rb\"       # a file \
or a folder, where it is not hello.rb or hello\n  aliases = [\"live\"]         # point at the version that is deployed\n  \
timeout_ms = 1000          # and any field of a config; the others have their defaults\n\nAll is checked before anything is \
stored. What has not changed makes no new version.\n\nExamples:\n  $ badlambda deploy hello.rb --dry-run\n  $ badlambda \
deploy .";

/// Arguments of `deploy`.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct DeployArguments {
    /// Ruby files, zips, functions' folders, and folders of all of these.
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// The function's name, where one file or one function's folder is given.
    #[arg(long, value_name = "NAME")]
    name: Option<FunctionName>,
    /// Check everything, show what would change, and store nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// Checks all functions, then deploys them.
pub async fn deploy(arguments: DeployArguments) -> Result<(), Failure> {
    let DeployArguments { connection, paths, name, dry_run, output } = arguments;
    let Some(output) = output.open(&DEPLOYED_FIELDS)? else { return Ok(()) };
    let sources = find_sources(&paths, name)?;
    let client = &connection.connect()?;
    let checked = check_all(client, sources).await?;
    let mut done = vec![];
    for function in &checked {
        let ended = if dry_run { function.preview(client).await } else { function.deploy(client).await };
        match ended {
            Ok(deployed) => done.push(deployed),
            Err(failure) => {
                print_deployed(&output, &done)?;
                return Err(failure.about(function.name()));
            }
        }
    }
    print_deployed(&output, &done)
}

/// Whoever has several files to mend learns of all at once.
async fn check_all(client: &Client, sources: Vec<Source>) -> Result<Vec<Checked>, Failure> {
    let (mut checked, mut refused) = (vec![], vec![]);
    for source in sources {
        match check(client, source).await {
            Ok(function) => checked.push(function),
            Err(Failure::Usage(sentence)) => refused.push(sentence),
            Err(failure) => return Err(failure),
        }
    }
    if refused.is_empty() {
        return Ok(checked);
    }
    refused.push("nothing was deployed".to_owned());
    Err(Failure::Usage(refused.join("\n")))
}

fn print_deployed(output: &Output, done: &[Deployed]) -> Result<(), Failure> {
    if output.is_text() {
        print(&done.iter().filter_map(|deployed| deployed.diff.as_deref()).collect::<String>())?;
    }
    output.print_all(done, || Table::new(&HEAD, done.iter().map(row)))
}

fn row(deployed: &Deployed) -> Vec<String> {
    let aliases: Vec<&str> = deployed.moved_aliases.iter().map(|alias| alias.as_str()).collect();
    vec![
        deployed.name.clone(),
        deployed.change.name().to_owned(),
        deployed.version.to_string(),
        aliases.join(","),
        deployed.file.clone(),
    ]
}
