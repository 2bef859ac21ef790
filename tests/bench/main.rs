//! Benchmarks, printed as a table and, with `--json`, as JSON: side by side, in one run, on this machine.
//!
//! ```text
//! badlambda-bench executor    the executor alone, against plain Ruby's fork + eval + JSON, and bwrap + ruby
//! badlambda-bench system      the whole system embedded: latency, throughput, memory
//! ```

mod baseline;
mod executor;
mod report;
mod system;

use anyhow::bail;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let report = match arguments.first().map(String::as_str) {
        Some("executor") => tokio::task::spawn_blocking(executor::measure).await??,
        Some("system") => system::measure().await?,
        _ => bail!("usage: badlambda-bench executor|system [--json]"),
    };
    report.print(as_json)
}
