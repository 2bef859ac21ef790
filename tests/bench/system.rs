//! The whole system embedded in one process: `badlambda up`, used over HTTP.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use badlambda_client::{Client, Code, FunctionContent, Submit};
use badlambda_shared::function::name::FunctionName;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use crate::fixture::announced;
use crate::report::Report;

const WARM_UP: usize = 50;
const LATENCY_RUNS: usize = 500;
const THROUGHPUT_RUNS: usize = 5000;
const IN_FLIGHT: usize = 32;

/// Latency one at a time, throughput with thirty-two in flight, memory idle and under load.
pub async fn measure() -> anyhow::Result<Report> {
    let data = tempfile::tempdir()?;
    let mut up = Up::start(data.path())?;
    let mut report = Report::default();
    up.create().await?;
    let up = Arc::new(up);
    latencies(&up, WARM_UP).await?;
    report.add("resident memory of up's process, idle", up.resident_mib(false)?, "MiB");
    report.add("resident memory of it and all below, idle", up.resident_mib(true)?, "MiB");
    report.add_latencies("submit to final record, one at a time", latencies(&up, LATENCY_RUNS).await?);
    let started = Instant::now();
    let left = Arc::new(AtomicUsize::new(THROUGHPUT_RUNS));
    let mut callers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (up, left) = (Arc::clone(&up), Arc::clone(&left));
        callers.spawn(async move {
            let take_one = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one).is_ok() {
                up.execute().await?;
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (own, all) = (up.resident_mib(false)?, up.resident_mib(true)?);
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    report.add(
        "executions with 32 in flight",
        THROUGHPUT_RUNS as f64 / started.elapsed().as_secs_f64(),
        "executions/s",
    );
    report.add("resident memory of up's process, under load", own, "MiB");
    report.add("resident memory of it and all below, under load", all, "MiB");
    Ok(report)
}

async fn latencies(up: &Up, runs: usize) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = vec![];
    for _ in 0..runs {
        let started = Instant::now();
        up.execute().await?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}

struct Up {
    process: Child,
    client: Client,
    function: FunctionName,
}

impl Up {
    fn start(data: &std::path::Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("badlambda");
        let mut command = Command::new(program);
        command.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(data.join("data"));
        command.env("BADLAMBDA_LOG", "warn").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().context("could not start badlambda")?;
        let addresses = announced(&mut process)?;
        let client = Client::new(addresses["api"].as_str().context("no address")?.parse()?, None)?;
        Ok(Self { process, client, function: "hello".parse()? })
    }

    async fn create(&mut self) -> anyhow::Result<()> {
        let code = Code::Ruby(r#"{ greeting: "Hello, #{event.fetch("name")}!" }"#.to_owned());
        let content = FunctionContent { code: &code, config: &json!({}) };
        self.client.create_function(&self.function, &content, false).await?;
        Ok(())
    }

    async fn execute(&self) -> anyhow::Result<()> {
        let submit = Submit { wait: Some(Duration::from_secs(30)), ..Submit::default() };
        let input = r#"{"name":"Ada"}"#.to_owned();
        let execution = self.client.execute_function(&self.function, input, &submit).await?;
        let result = execution.result.as_deref().map(RawValue::get);
        ensure!(result == Some(r#"{"greeting":"Hello, Ada!"}"#), "{execution:?}");
        Ok(())
    }

    /// Resident memory of the process, or of it and everything below it. Shared pages count in each.
    fn resident_mib(&self, with_all_below: bool) -> anyhow::Result<f64> {
        let mut pids = vec![self.process.id()];
        let mut index = 0;
        while with_all_below && index < pids.len() {
            let below = Command::new("pgrep").args(["-P", &pids[index].to_string()]).output()?.stdout;
            pids.extend(
                String::from_utf8(below)?.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()),
            );
            index += 1;
        }
        let resident = |pid: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.to_owned();
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        Ok(pids.iter().filter_map(resident).sum::<f64>() / 1024.0)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
