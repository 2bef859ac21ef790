//! The API alone, on one core: how many submits and polls it makes, and what it holds for those who wait.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use reqwest::Client;
use serde_json::Value;

use crate::fixture::{Fleet, wait_until_ready};
use crate::processes;
use crate::report::Report;

const IN_FLIGHT: usize = 32;
const MEASURED: Duration = Duration::from_secs(5);
const WAITING: usize = 1_000;

/// Against the embedded SQS and S3, with no worker: whatever is submitted stays queued.
pub async fn measure() -> anyhow::Result<Report> {
    let fleet = Fleet::start().await?;
    let (api, address) = fleet.api(fleet.url())?;
    let pid = api.0[0].id();
    on_one_core(pid)?;
    let http = Client::builder().no_proxy().build()?;
    wait_until_ready(&http, &address).await?;
    let executions = format!("{address}/v1/functions/hello/executions");
    let submit = async || -> anyhow::Result<String> {
        let answer = http.post(&executions).body("1").send().await?;
        ensure!(answer.status() == 202, "a submit was answered {}", answer.status());
        let accepted: Value = answer.json().await?;
        Ok(format!("{address}{}", accepted["url"].as_str().context("an execution has no url")?))
    };
    let mut report = Report::default();
    let urls = rate(&mut report, "submits", pid, async |_| submit().await).await?;
    let poll = async |n: usize| -> anyhow::Result<()> {
        let answer = http.get(&urls[n % urls.len()]).send().await?;
        ensure!(answer.status() == 200, "a poll was answered {}", answer.status());
        answer.bytes().await?;
        Ok(())
    };
    rate(&mut report, "polls", pid, poll).await?;

    let listen = async |url: &str| http.get(format!("{url}/events")).send().await;
    memory_of(&mut report, "listener", pid, &urls, listen).await?;
    // These are not answered before their time is over.
    let waits = async |url: &str| Ok(tokio::spawn(http.get(url).header("prefer", "wait=50").send()));
    memory_of(&mut report, "waiting poll", pid, &urls, waits).await?;
    Ok(report)
}

/// The core behind the first is left to the embedded servers and to this process, as far as there is one.
fn on_one_core(pid: u32) -> anyhow::Result<()> {
    let mut first = CpuSet::new();
    first.set(0)?;
    for thread in threads_of(pid)? {
        sched_setaffinity(Pid::from_raw(thread), &first)?;
    }
    Ok(())
}

fn threads_of(pid: u32) -> anyhow::Result<Vec<i32>> {
    let names = fs::read_dir(format!("/proc/{pid}/task"))?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| name.to_str()?.parse().ok()).collect())
}

/// Asks for some seconds, and returns what was answered.
async fn rate<T>(
    report: &mut Report,
    what: &str,
    pid: u32,
    ask: impl AsyncFn(usize) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let (began_at, cpu_before) = (Instant::now(), processes::cpu_seconds(pid)?);
    let ask = &ask;
    let timed = |n| async move {
        let asked_at = Instant::now();
        ask(n).await.map(|answer| (answer, asked_at.elapsed()))
    };
    let in_time = stream::iter(0..).take_while(|_| async { began_at.elapsed() < MEASURED });
    let answered: Vec<_> = in_time.map(timed).buffer_unordered(IN_FLIGHT).collect().await;
    let (took, cpu) = (began_at.elapsed(), processes::cpu_seconds(pid)? - cpu_before);
    let (answers, times): (Vec<T>, Vec<Duration>) =
        answered.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    report.add(format!("{what}, {IN_FLIGHT} in flight"), times.len() as f64 / took.as_secs_f64(), "/s");
    report.add(format!("{what}: CPU of the API for each"), cpu * 1e6 / times.len() as f64, "µs");
    report.add_latencies(what, times);
    Ok(answers)
}

/// What the API holds for each of many that wait, each for an execution of its own.
async fn memory_of<W>(
    report: &mut Report,
    what: &str,
    pid: u32,
    urls: &[String],
    begin: impl AsyncFn(&str) -> Result<W, reqwest::Error>,
) -> anyhow::Result<()> {
    ensure!(urls.len() >= WAITING, "too few executions were submitted");
    let resident = || processes::mib(pid, "Rss").context("the API is gone");
    let (before, threads) = (resident()?, threads_of(pid)?.len());
    let mut waiting = vec![];
    for url in &urls[..WAITING] {
        waiting.push(begin(url).await?);
    }
    // All have been answered, or looked at, by then.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let kib = (resident()? - before) * 1024.0 / WAITING as f64;
    report.add(format!("memory of the API for each {what}, of {WAITING}"), kib, "KiB");
    let more = threads_of(pid)?.len().saturating_sub(threads);
    report.add(format!("threads of the API for {WAITING} of them"), more as f64, "");
    Ok(())
}
