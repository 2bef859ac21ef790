//! `token list`.

use std::fs;
use std::path::{Path, PathBuf};

use badlambda_api::{TokenSummary, summarize_tokens};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::process::config::{Environment, TOKENS, TOKENS_FILE};
use clap::Args;

use crate::output::{Failure, OutputArguments, Table, shown};

/// The fields of a token in a list.
const TOKEN_FIELDS: [&str; 5] = ["name", "scopes", "functions", "per_second", "access_key_id"];

const HEAD: [&str; 4] = ["name", "scopes", "functions", "per_second"];

/// Arguments of `token list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda token list --file tokens.json")]
pub struct ListArguments {
    /// The file that holds the list [else BADLAMBDA_TOKENS_FILE, or the list in BADLAMBDA_TOKENS].
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Lists tokens, in their order.
pub(super) fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&TOKEN_FIELDS)? else { return Ok(()) };
    let environment = Environment::from_process().map_err(|error| Failure::Usage(error.to_string()))?;
    let file = arguments.file.as_deref().or(environment.text(TOKENS_FILE).map(Path::new));
    let (from, json) = match (file, environment.text(TOKENS)) {
        (Some(path), _) => {
            let read = fs::read_to_string(path);
            let from = path.display().to_string();
            (from.clone(), read.map_err(|error| Failure::Usage(format!("could not read {from}: {error}")))?)
        }
        (None, Some(json)) => (TOKENS.name.to_owned(), json.to_owned()),
        (None, None) => {
            return Err(Failure::Usage("no list to read; say which with --file PATH".to_owned()));
        }
    };
    let tokens = summarize_tokens(&json).map_err(|reason| Failure::Usage(format!("{from}: {reason}")))?;
    output.print_all(&tokens, || Table::new(&HEAD, tokens.iter().map(row)))
}

fn row(token: &TokenSummary) -> Vec<String> {
    let functions = token.functions.iter().flatten().map(FunctionName::as_str);
    vec![
        token.name.clone(),
        token.scopes.join(","),
        functions.collect::<Vec<_>>().join(","),
        shown(token.per_second),
    ]
}
