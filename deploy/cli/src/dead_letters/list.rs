//! `dead-letters list` and `show`.

use badlambda_shared::dead_letters::ShownDeadLetter;
use badlambda_shared::limits;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::dead_letters::FilterArguments;
use crate::output::{Failure, OutputArguments, Table, say, shown};

/// The fields of a dead letter.
pub const DEAD_LETTER_FIELDS: [&str; 7] =
    ["id", "reason", "kind", "function", "execution", "received_at", "body"];
const HEAD: [&str; 5] = ["id", "function", "execution", "received", "reason"];

/// Arguments of `dead-letters list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda dead-letters list --reason not_found --json id,function")]
pub struct ListArguments {
    #[command(flatten)]
    filter: FilterArguments,
    /// How many, up to 200.
    #[arg(long, value_name = "N", default_value_t = limits::PAGE)]
    limit: usize,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `dead-letters show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda dead-letters show \"$DEAD_LETTER\" --jq .body")]
pub struct ShowArguments {
    /// Its id.
    id: String,
    #[command(flatten)]
    output: OutputArguments,
}

/// Lists dead letters, in no order.
pub async fn list(connection: &ConnectionArguments, arguments: ListArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&DEAD_LETTER_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let page = client.list_dead_letters(&arguments.filter.into(), Some(arguments.limit)).await?;
    if page.complete == Some(false) {
        say("there may be more than these; --limit shows up to 200");
    }
    output.print_all(&page.items, || Table::new(&HEAD, page.items.iter().map(row)))
}

/// Shows one, with its whole body.
pub async fn show(connection: &ConnectionArguments, arguments: ShowArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&DEAD_LETTER_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let letter = client.get_dead_letter(&arguments.id).await?;
    output.print_one(&letter, || {
        let body = ("body", letter.body.clone().unwrap_or_default());
        Table::of_fields(HEAD.into_iter().zip(row(&letter)).chain([body]))
    })
}

fn row(letter: &ShownDeadLetter) -> Vec<String> {
    vec![
        letter.id.clone(),
        shown(letter.function.as_ref()),
        shown(letter.execution.as_ref()),
        letter.received_at.to_string(),
        letter.reason.clone(),
    ]
}
