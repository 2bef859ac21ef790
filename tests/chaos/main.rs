//! Whether anything is lost on a very bad day.
//!
//! ```text
//! badlambda-chaos [--executions N] [--map-items N] [--seed S]
//!
//! submitters ──HTTP──▶ api ──▶ ┌─────────────┐ ──▶ badlambda aws (SQS and S3)
//!        └──── SDK ──────────▶ │ fault proxy │ ◀── three workers, which are killed, stopped, and told to drain
//!                              └─────────────┘
//! ```
//!
//! Everything is drawn from the seed but the moments at which processes meet. At the end, every execution that was
//! accepted has one final record that is right, each input of a map one result, nothing is left in the queue, what was sent is what is recorded, and no
//! process or file is left behind. Exits with 1 if that is not so.

#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to run on")]

mod fleet;
mod maps;
mod murder;
mod verdict;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_tests::faults::Plan;
use clap::Parser;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fleet::Fleet;
use crate::maps::Mapped;
use crate::work::Work;

/// Runs executions through a fleet whose every part fails, and tells whether anything was lost.
#[derive(Parser)]
struct Arguments {
    /// How many executions.
    #[arg(long, default_value_t = 5000)]
    executions: u64,
    /// How many inputs of a map beside them.
    #[arg(long, default_value_t = 10_000)]
    map_items: u64,
    /// What chance is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How long the fleet gets to finish once the day is better, and the more for each item of the map.
const CALM: Duration = Duration::from_secs(240);
const CALM_FOR_AN_ITEM: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { executions, map_items, seed } = Arguments::parse();
    let started = Instant::now();
    let mut fleet = Fleet::start(seed).await?;
    let work = Arc::new(Work::new(&fleet.addresses, executions, seed));
    work.create_functions().await?;
    Mapped::create_function(&fleet.addresses).await?;
    fleet.proxy.follow(Plan::storm());

    let calm = CancellationToken::new();
    let submitting = tokio::spawn({
        let (work, calm, addresses) = (Arc::clone(&work), calm.clone(), fleet.addresses.clone());
        async move {
            // First the map, so that its items run in the storm, too. How long that takes depends on their number, and the
            // longest executions would not live through as much.
            let mapped = Mapped::submit(&addresses, map_items).await;
            work.submit().await;
            // Most is still queued now, and its day stays bad for a while.
            tokio::time::sleep(Duration::from_secs(10)).await;
            calm.cancel();
            mapped
        }
    });
    let deeds = murder::go_on(&mut fleet, seed, &calm).await?;
    let mapped = submitting.await??;
    let submitted = started.elapsed();
    fleet.proxy.follow(Plan::default());

    let deadline = Instant::now() + CALM + CALM_FOR_AN_ITEM * u32::try_from(map_items)?;
    let mut wrong = mapped.wait_and_look(deadline).await;
    let found = verdict::wait_and_look(&work, &fleet, deadline).await?;
    let faults = fleet.proxy.done();
    let left = fleet.stop().await?;
    let totals = json!({
        "seed": seed,
        "executions": executions,
        "map_items": map_items,
        "seconds": started.elapsed().as_secs(),
        "submitted_after_seconds": submitted.as_secs(),
        "processes": deeds,
        "faults": faults.iter().map(|(fault, times)| (format!("{fault:?}"), *times)).collect::<std::collections::BTreeMap<_, _>>(),
        "outcome": found.totals(),
        "left_behind": left,
    });
    println!("{}", serde_json::to_string_pretty(&totals)?);
    wrong.extend(found.wrong);
    wrong.extend(left);
    anyhow::ensure!(wrong.is_empty(), "seed {seed}: {} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
