//! Benchmarks, printed as a table and, with `--json`, as JSON: in one run, on this machine. `badlambda-bench help` names
//! them. `tests/bench/run` runs some of them in turn with what others would use instead.

mod api;
mod baseline;
mod executor;
mod fixture;
mod fleet;
mod lambda;
mod latency;
mod lists;
mod maps;
mod processes;
mod rate;
mod report;
mod soak;
mod stations;
mod store;
mod system;

use anyhow::{bail, ensure};
use badlambda_shared::function::Form;
use badlambda_shared::process::shutdown::Shutdown;
use clap::{Args, Parser, Subcommand};
use tokio::task::spawn_blocking;

use crate::maps::Size;
use crate::rate::FullQueue;
use crate::report::Report;

/// Measures Bad Lambda on this machine.
#[derive(Parser)]
struct Arguments {
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// The executor alone, against plain Ruby's fork + eval + JSON, and bwrap + ruby
    Executor,
    /// The whole system embedded: latency, throughput, memory
    System,
    /// Workers as processes of their own: throughput, requests, waits, a kill, a drain
    Fleet,
    /// A fleet whose SQS and S3 take as long as AWS's: submit to answer, rates, requests
    Latency,
    /// The API alone: submits and polls on one core, memory of those who wait
    Api,
    /// The embedded S3 alone: CPU of a PUT and a GET
    Store,
    /// Lists of a million executions, read for the first time and again
    Lists,
    /// AWS Lambda's Invoke beside a submit that waits, and code in zips
    Lambda,
    /// Maps: rate, requests, memory, and single executions beside one
    Maps(Size),
    /// What an execution costs with 1,000 to 100,000 queued
    Backlog,
    /// One measurement of a fleet: how many executions its workers make of a full queue
    Rate(FullQueue),
    /// Whether memory stays flat over many executions
    Soak {
        #[arg(default_value_t = 100_000)]
        runs: usize,
    },
    /// One kind of execution alone, script form
    Script(Repeat),
    /// One kind of execution alone, handler form
    Handler(Repeat),
    /// What each way of preparing a zygote's memory pays
    Tuning,
    /// First runs of new versions alone
    Load,
}

#[derive(Args)]
struct Repeat {
    /// How many executions
    runs: usize,
    /// How many callers, each with a zygote
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    callers: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { json, benchmark } = Arguments::parse();
    benchmark.measure().await?.print(json)
}

impl Benchmark {
    async fn measure(self) -> anyhow::Result<Report> {
        match self {
            Self::Executor => spawn_blocking(executor::measure).await?,
            Self::System => until_stopped(system::measure()).await,
            Self::Fleet => until_stopped(fleet::measure()).await,
            Self::Latency => until_stopped(latency::measure()).await,
            Self::Api => until_stopped(api::measure()).await,
            Self::Store => until_stopped(store::measure()).await,
            Self::Lists => until_stopped(lists::measure()).await,
            Self::Lambda => until_stopped(lambda::measure()).await,
            Self::Maps(size) => until_stopped(size.measure()).await,
            Self::Backlog => until_stopped(fleet::backlog()).await,
            Self::Rate(queue) => until_stopped(queue.measure()).await,
            Self::Soak { runs } => spawn_blocking(move || soak::measure(runs)).await?,
            Self::Script(repeat) => repeat.measure(Form::Script).await,
            Self::Handler(repeat) => repeat.measure(Form::Handler).await,
            Self::Tuning => spawn_blocking(executor::measure_tuning).await?,
            Self::Load => spawn_blocking(executor::measure_loads).await?,
        }
    }
}

/// What was started is ended, and its files removed, on a signal too.
async fn until_stopped(measured: impl Future<Output = anyhow::Result<Report>>) -> anyhow::Result<Report> {
    let shutdown = Shutdown::on_signals()?;
    tokio::select! {
        report = measured => report,
        () = shutdown.soft.cancelled() => bail!("stopped before its end"),
    }
}

impl Repeat {
    async fn measure(self, form: Form) -> anyhow::Result<Report> {
        let (runs, callers) = (self.runs, usize::from(self.callers));
        ensure!(runs >= callers, "each caller needs an execution");
        spawn_blocking(move || executor::measure_only(form, runs, callers)).await?
    }
}
