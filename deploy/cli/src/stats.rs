//! `badlambda stats`: how the queue stands, and what ended lately.

use std::time::Duration;

use badlambda_shared::function::name::FunctionName;
use badlambda_shared::stats::{Ended, FleetStats, FunctionStats, Percentiles};
use clap::Args;
use console::Term;
use serde::Serialize;

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::output::{Failure, Output, OutputArguments, Table, shown};

/// The fields of the whole fleet's stats.
pub const STATS_FIELDS: [&str; 4] = ["queue", "workers", "samples", "minutes"];
/// The fields of a function's stats.
pub const FUNCTION_STATS_FIELDS: [&str; 3] = ["function", "periods", "versions"];

const HEAD: [&str; 6] = ["from", "succeeded", "failed", "cancelled", "wait_ms p50/p99", "run_ms p50/p99"];
/// For as long the API remembers them.
const EVERY: Duration = Duration::from_secs(2);

/// Arguments of `stats`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  $ badlambda stats --jq .queue.visible\n  $ badlambda stats hello")]
pub struct StatsArguments {
    /// Of this function, in the last hour [default: of all, in the last 15 minutes].
    name: Option<FunctionName>,
    /// Again every two seconds, until it is interrupted.
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// Prints stats, once or again and again.
pub async fn stats(arguments: StatsArguments) -> Result<(), Failure> {
    let StatsArguments { connection, name, watch, output } = arguments;
    let known = if name.is_some() { &FUNCTION_STATS_FIELDS[..] } else { &STATS_FIELDS[..] };
    let Some(output) = output.open(known)? else { return Ok(()) };
    let client = connection.connect()?;
    loop {
        match &name {
            Some(name) => {
                let stats = client.get_function_stats(name).await;
                let stats = explained(&client, name, stats).await?;
                show(&output, watch, &stats, || function_table(&stats).to_string())?;
            }
            None => {
                let stats = client.get_stats().await?;
                show(&output, watch, &stats, || fleet_tables(&stats))?;
            }
        }
        if !watch {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// On a terminal, the newest stand in the place of those before.
fn show(
    output: &Output,
    watch: bool,
    stats: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let terminal = Term::stdout();
    if watch && output.is_text() && terminal.is_term() {
        terminal.clear_screen()?;
    }
    output.print_one(stats, text)
}

fn fleet_tables(stats: &FleetStats) -> String {
    let queue = &stats.queue;
    let rows = [
        ("visible", queue.visible.to_string()),
        ("delayed", queue.delayed.to_string()),
        ("in_flight", queue.in_flight.to_string()),
        ("dead_lettered", queue.dead_lettered.to_string()),
        ("oldest_seconds", shown(queue.oldest_seconds)),
        ("workers", stats.workers.to_string()),
    ];
    let queue = Table::new(&["queue", "messages"], rows.map(|(name, value)| vec![name.to_owned(), value]));
    let minutes = stats.minutes.iter().map(|minute| row(shown(minute.from), &minute.ended));
    format!("{queue}\n{}", Table::new(&HEAD, minutes))
}

fn function_table(stats: &FunctionStats) -> Table {
    Table::new(&HEAD, stats.periods.iter().map(|period| row(shown(period.from), &period.ended)))
}

fn row(first: String, ended: &Ended) -> Vec<String> {
    vec![
        first,
        ended.succeeded.to_string(),
        ended.failed.to_string(),
        ended.cancelled.to_string(),
        percentiles(ended.wait_ms),
        percentiles(ended.run_ms),
    ]
}

fn percentiles(percentiles: Option<Percentiles>) -> String {
    percentiles.map_or(String::new(), |Percentiles { p50, p99 }| format!("{p50:.1}/{p99:.1}"))
}
