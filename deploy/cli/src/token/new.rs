//! `token new`.

use std::path::PathBuf;

use badlambda_api::summarize_tokens;
use badlambda_shared::function::name::FunctionName;
use clap::Args;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::output::{Failure, OutputArguments};
use crate::token::file::add_entry;

/// The fields of a token that was made.
const NEW_TOKEN_FIELDS: [&str; 2] = ["token", "entry"];

/// What tokens begin with, so that programs that look for secrets know them.
const PREFIX: &str = "badlambda_";
/// As many as SHA-256 keeps apart.
const RANDOM_BYTES: usize = 32;

const ABOUT: &str = "The token itself is kept nowhere. The entry, with its SHA-256 alone, belongs into the API's \
BADLAMBDA_TOKENS, a JSON array, or with --file into the file that BADLAMBDA_TOKENS_FILE names. The API reads either when it \
starts.\n\nExamples:\n  $ badlambda token new --name ci --scopes read,execute --functions hello --per-second 10\n  $ badlambda \
token new --name admin --scopes read,execute,manage --file tokens.json";

/// Arguments of `token new`.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct NewArguments {
    /// Tells it from others, in lists and messages.
    #[arg(long)]
    name: String,
    /// What it may be used for, separated by commas: read, execute, manage. None of them implies another.
    #[arg(long, required = true, value_delimiter = ',', value_parser = ["read", "execute", "manage"])]
    scopes: Vec<String>,
    /// The functions that it may be used for, separated by commas [default: all].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    functions: Vec<FunctionName>,
    /// How many requests it may make a second [default: any number].
    #[arg(long, value_name = "N")]
    per_second: Option<u32>,
    /// Add the entry to this file, which becomes one if need be, with mode 0600.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// What an API has to know of a token: an entry of `BADLAMBDA_TOKENS`.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    sha256: String,
    scopes: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    functions: &'a [FunctionName],
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<u32>,
}

#[derive(Serialize)]
struct NewToken<'a> {
    token: &'a str,
    entry: &'a Entry<'a>,
}

/// Makes a token. Where it can't be added to the file, none was made.
pub(super) fn new(arguments: &NewArguments) -> Result<(), Failure> {
    let NewArguments { name, scopes, functions, per_second, file, output } = arguments;
    let Some(output) = output.open(&NEW_TOKEN_FIELDS)? else { return Ok(()) };
    let token = random_token()?;
    let sha256 = hex::encode(Sha256::digest(&token));
    let entry = Entry { name, sha256, scopes, functions, per_second: *per_second };
    let json = serde_json::to_string(&entry).map_err(|error| Failure::Ours(error.to_string()))?;
    summarize_tokens(&format!("[{json}]")).map_err(Failure::Usage)?;
    let text = match file {
        Some(path) => {
            add_entry(path, &json)?;
            eprintln!("{} has its entry; the token, shown this once:", path.display());
            format!("{token}\n")
        }
        None => {
            eprintln!("the token, shown this once, and its entry for BADLAMBDA_TOKENS, a JSON array:");
            format!("{token}\n{json}\n")
        }
    };
    output.print_one(&NewToken { token: &token, entry: &entry }, || text)
}

fn random_token() -> Result<String, Failure> {
    let mut bytes = [0; RANDOM_BYTES];
    let filled = OsRng.try_fill_bytes(&mut bytes);
    filled.map_err(|error| Failure::Ours(format!("the system gives no random bytes: {error}")))?;
    Ok(format!("{PREFIX}{}", hex::encode(bytes)))
}
