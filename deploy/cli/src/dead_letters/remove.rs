//! `dead-letters redrive` and `purge`.

use badlambda_client::Lines;
use badlambda_shared::dead_letters::{DeadLetterCount, DeadLetterLine};
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::dead_letters::FilterArguments;
use crate::output::{Failure, Output, OutputArguments, say};

/// The fields of a dead letter that is in the queue again.
pub const REDRIVEN_FIELDS: [&str; 4] = ["id", "function", "execution", "url"];
/// The fields of how far it is with many.
pub const PROGRESS_FIELDS: [&str; 6] = ["left", "redriven", "deleted", "skipped", "complete", "error"];

/// Which of them are sent back or deleted.
#[derive(Debug, Args)]
pub struct SelectionArguments {
    /// The id of one.
    #[arg(conflicts_with_all = ["reason", "function", "all"])]
    id: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
    /// All of them.
    #[arg(long, conflicts_with_all = ["reason", "function"])]
    all: bool,
    /// Count them, and do nothing.
    #[arg(long, conflicts_with = "id")]
    dry_run: bool,
}

impl SelectionArguments {
    /// Nobody means all by saying nothing.
    fn check(&self) -> Result<(), Failure> {
        let FilterArguments { reason, function } = &self.filter;
        if self.id.is_some() || self.all || reason.is_some() || function.is_some() {
            return Ok(());
        }
        Err(Failure::Usage("say which: the id of one, --reason, --function, or --all".to_owned()))
    }
}

/// Arguments of `dead-letters redrive`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of many, a line a second tells how far it is; an interrupt stops it.\n\nExamples:\n  $ badlambda \
                        dead-letters redrive --function late --dry-run\n  $ badlambda dead-letters redrive --function late"
)]
pub struct RedriveArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// How many a second, up to 500 [default: 10].
    #[arg(long, value_name = "N", conflicts_with = "id")]
    per_second: Option<u32>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `dead-letters purge`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of many, a line a second tells how far it is; an interrupt stops it.\n\nExamples:\n  $ badlambda \
                        dead-letters purge --all --dry-run\n  $ badlambda dead-letters purge --reason not_found --yes"
)]
pub struct PurgeArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Do it: nothing brings them back.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// Sends one back to the queue, or many.
pub async fn redrive(connection: &ConnectionArguments, arguments: RedriveArguments) -> Result<(), Failure> {
    let RedriveArguments { selection, per_second, output } = arguments;
    selection.check()?;
    if let Some(id) = selection.id {
        let Some(output) = output.open(&REDRIVEN_FIELDS)? else { return Ok(()) };
        let client = &connection.connect()?;
        let redriven = client.redrive_dead_letter(&id).await?;
        let execution =
            || redriven.execution.as_ref().map_or(String::new(), |execution| format!("{execution}\n"));
        return output.print_one(&redriven, execution);
    }
    let Some(output) = output.open(&PROGRESS_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let filter = selection.filter.into();
    if selection.dry_run {
        return print_count(&output, &client.count_dead_letters_to_redrive(&filter).await?);
    }
    print_progress(&output, client.redrive_dead_letters(&filter, per_second).await?).await
}

/// Deletes one, or many.
pub async fn purge(connection: &ConnectionArguments, arguments: PurgeArguments) -> Result<(), Failure> {
    let PurgeArguments { selection, yes, output } = arguments;
    selection.check()?;
    let Some(output) = output.open(&PROGRESS_FIELDS)? else { return Ok(()) };
    if !yes && !selection.dry_run {
        let hint = "this would delete them for good; --dry-run counts them, and --yes does it";
        return Err(Failure::Usage(hint.to_owned()));
    }
    let client = &connection.connect()?;
    if let Some(id) = selection.id {
        return Ok(client.delete_dead_letter(&id).await?);
    }
    let filter = selection.filter.into();
    if selection.dry_run {
        return print_count(&output, &client.count_dead_letters_to_delete(&filter).await?);
    }
    print_progress(&output, client.delete_dead_letters(&filter).await?).await
}

fn print_count(output: &Output, count: &DeadLetterCount) -> Result<(), Failure> {
    if !count.complete {
        say("there was no time to look at all: there may be more");
    }
    output.print_one(count, || format!("{}\n", count.redriven.or(count.deleted).unwrap_or_default()))
}

/// Prints a line for each of the API's, and fails where the last one does not say that all was done.
async fn print_progress(output: &Output, mut lines: Lines) -> Result<(), Failure> {
    let mut last: Option<DeadLetterLine> = None;
    while let Some(line) = lines.next_json::<DeadLetterLine>().await? {
        output.print_one(&line, || {
            let (done, name) = match (line.redriven, line.deleted) {
                (Some(redriven), _) => (redriven, "redriven"),
                (None, deleted) => (deleted.unwrap_or_default(), "deleted"),
            };
            format!("{done} {name}, {} left, {} skipped\n", line.left, line.skipped)
        })?;
        last = Some(line);
    }
    match last {
        Some(DeadLetterLine { complete: Some(true), .. }) => Ok(()),
        Some(DeadLetterLine { error: Some(problem), .. }) => Err(Failure::Ours(problem.detail)),
        _ => Err(Failure::Ours("it ended before it was complete; run it again for what is left".to_owned())),
    }
}
