//! `badlambda-scaling`: how the fleet scales on AWS by the template's policies, simulated.
//!
//! ```text
//! badlambda-scaling                     every load against the template as it is, and with one parameter changed
//! badlambda-scaling --defaults          every load against the template as it is
//! badlambda-scaling --trace spike       one load, minute by minute, with every change and who made it
//! ```

use std::path::PathBuf;

use anyhow::Context;
use badlambda_scaling::outcome::Outcome;
use badlambda_scaling::template::Template;
use badlambda_scaling::{loads, simulation, table};
use clap::Parser;

/// Simulates how the workers scale on AWS.
#[derive(Parser)]
struct Arguments {
    /// The template whose policies decide.
    #[arg(long, default_value = "deploy/aws/badlambda.yaml")]
    template: PathBuf,
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, from that one on, the table is made of: waits of all runs, the most, and the mean of costs.
    #[arg(long, default_value_t = table::SEEDS)]
    seeds: u64,
    /// Gives a parameter another value than its default; may be repeated.
    #[arg(long = "set", value_name = "NAME=NUMBER")]
    settings: Vec<String>,
    /// Only the template as it is.
    #[arg(long)]
    defaults: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Prints one load minute by minute.
    #[arg(long, value_name = "LOAD")]
    trace: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = std::fs::read_to_string(&arguments.template)
        .with_context(|| format!("cannot read {}", arguments.template.display()))?;
    let mut template = Template::parse(&text)?;
    for setting in &arguments.settings {
        let (name, value) =
            setting.split_once('=').with_context(|| format!("{setting:?} is not NAME=NUMBER"))?;
        template.set(name, value.parse().with_context(|| format!("{value:?} is not a number"))?)?;
    }
    if let Some(name) = &arguments.trace {
        let load = loads::named(name).with_context(|| format!("no load is called {name:?}"))?;
        let template = table::template_for(&template, &load, None)?;
        print_trace(&simulation::run(&template, &load, arguments.seed)?);
        return Ok(());
    }
    let settings = if arguments.defaults { &table::SETTINGS[..1] } else { &table::SETTINGS };
    let seeds = arguments.seed..arguments.seed + arguments.seeds.max(1);
    let rows = table::rows(&template, settings, seeds.clone())?;
    if arguments.json {
        println!("{}", table::to_json(&rows, seeds));
    } else {
        println!("{}", table::to_markdown(&rows));
    }
    Ok(())
}

fn print_trace(outcome: &Outcome) {
    let mut changes = outcome.changes.iter().peekable();
    for minute in &outcome.minutes {
        while let Some(change) = changes.next_if(|change| change.at <= minute.at) {
            println!("{:>7} s  {}: {} to {} tasks", change.at, change.policy, change.from, change.to);
        }
        println!(
            "{:>7} s  {} wait, the oldest for {} s; {} in flight; {} of {} tasks run",
            minute.at, minute.visible, minute.oldest, minute.in_flight, minute.running, minute.desired
        );
    }
    println!("{:#}", outcome.to_json());
}
