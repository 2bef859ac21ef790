//! Benchmarks, printed as a table and, with `--json`, as JSON: side by side, in one run, on this machine.
//!
//! ```text
//! badlambda-bench executor    the executor alone, against plain Ruby's fork + eval + JSON, and bwrap + ruby
//! badlambda-bench soak [RUNS] whether memory stays flat over so many executions, 100,000 by default
//! badlambda-bench script|handler RUNS CALLERS    one kind of execution alone, for a profiler to watch
//! badlambda-bench tuning                         what each way of preparing a zygote's memory pays
//! badlambda-bench load                           first runs of new versions alone
//! badlambda-bench fleet       workers as processes of their own: throughput, requests, waits, a kill, a drain
//! badlambda-bench backlog     what an execution costs with 1,000 to 100,000 queued
//! badlambda-bench latency     a fleet whose SQS and S3 take as long as AWS's: submit to answer, rates, requests
//! badlambda-bench system      the whole system embedded: latency, throughput, memory
//! ```

mod baseline;
mod executor;
mod fixture;
mod fleet;
mod latency;
mod memory;
mod report;
mod soak;
mod stations;
mod system;

use anyhow::bail;
use badlambda_shared::function::Form;

use crate::report::Report;

const SOAK_RUNS: usize = 100_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let report = match arguments.first().map(String::as_str) {
        Some("executor") => tokio::task::spawn_blocking(executor::measure).await??,
        Some("soak") => {
            let runs = arguments.get(1).map_or(Ok(SOAK_RUNS), |text| text.parse())?;
            tokio::task::spawn_blocking(move || soak::measure(runs)).await??
        }
        Some("script") => only(Form::Script, &arguments).await?,
        Some("handler") => only(Form::Handler, &arguments).await?,
        Some("tuning") => tokio::task::spawn_blocking(executor::measure_tuning).await??,
        Some("load") => tokio::task::spawn_blocking(executor::measure_loads).await??,
        Some("fleet") => fleet::measure().await?,
        Some("latency") => latency::measure().await?,
        Some("backlog") => fleet::backlog().await?,
        Some("system") => system::measure().await?,
        _ => bail!(
            "usage: badlambda-bench executor|tuning|load|fleet|latency|backlog|system|soak [--json], or script|handler RUNS CALLERS"
        ),
    };
    report.print(as_json)
}

async fn only(form: Form, arguments: &[String]) -> anyhow::Result<Report> {
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse().ok());
    let (Some(runs), Some(callers)) = (number(1), number(2)) else { bail!("RUNS and CALLERS are numbers") };
    tokio::task::spawn_blocking(move || executor::measure_only(form, runs, callers)).await?
}
