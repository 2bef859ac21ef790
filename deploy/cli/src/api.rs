//! `badlambda api`: any request, for what no other command does.

use std::io::{self, IsTerminal};

use clap::Args;

use crate::connection::ConnectionArguments;
use crate::input::read_json;
use crate::output::{Failure, Filter, Pieces, print};

/// Arguments of `api`.
#[derive(Debug, Args)]
#[command(
    after_help = "GET /openapi.json tells what there is.\n\nExample:\n  $ badlambda api GET /v1/stats --jq \
                        .queue.visible"
)]
pub struct ApiArguments {
    /// The HTTP method.
    method: String,
    /// The path with its query, as in /v1/functions?limit=5.
    path: String,
    /// The body, as JSON; `-` reads it from stdin.
    #[arg(allow_hyphen_values = true)]
    body: Option<String>,
    /// A header.
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Print what this jq filter makes of the answer; text without quotes.
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Makes the request, and prints what is answered, as it comes.
pub async fn api(arguments: ApiArguments) -> Result<(), Failure> {
    let ApiArguments { connection, method, path, body, header, jq } = arguments;
    let filter = jq.as_deref().map(Filter::compile).transpose()?;
    let mut headers = header.iter().map(|header| read_header(header)).collect::<Result<Vec<_>, _>>()?;
    let body = body.map(|body| read_json("the body", &body)).transpose()?;
    if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let client = connection.connect()?;
    let answer = client.request(&method, &path, &headers, body).await?.succeeded().await;
    let mut answer = answer.map_err(|error| match error.is("not_found") {
        // The path is the person's own.
        true => Failure::NotFound(error.to_string()),
        false => error.into(),
    })?;
    if let Some(filter) = filter {
        return print(&filter.apply(&answer.bytes().await?)?);
    }
    if answer.header("content-type") == Some("application/zip") && io::stdout().is_terminal() {
        let sentence = "the answer is a zip, which a terminal can't show; send it to a file with > FILE";
        return Err(Failure::Usage(sentence.to_owned()));
    }
    let mut pieces = Pieces::default();
    while let Some(piece) = answer.chunk().await? {
        pieces.print(&piece)?;
    }
    pieces.end()
}

fn read_header(header: &str) -> Result<(String, String), Failure> {
    match header.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(Failure::Usage(format!("{header:?} is no header; write it like 'Prefer: wait=5'"))),
    }
}
