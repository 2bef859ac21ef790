//! A fleet on loopback: what its workers make, what they ask of SQS and S3, and what becomes of it when one is killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use badlambda_shared::aws::queue::OutgoingMessage;
use badlambda_shared::timestamp::Timestamp;
use nix::sys::signal::Signal;

use crate::fixture::{Fleet, envelope, message, signal};
use crate::report::Report;

const RUNS: u64 = 4000;
const WAITING_RUNS: u64 = 400;
const MOST_WORKERS: usize = 3;
const IDLE: Duration = Duration::from_secs(60);
const WAITS: u64 = 1000;

/// Throughput by workers, requests per execution and when idle, how long messages wait, how soon a killed worker's
/// messages come back, and how long a drain takes.
pub async fn measure() -> anyhow::Result<Report> {
    let mut report = Report::default();
    for workers in 1..=MOST_WORKERS {
        let fleet = Fleet::start().await?;
        fleet.send(RUNS).await?;
        let before = fleet.requests();
        let started = fleet.workers(workers, &[])?;
        let seconds = fleet.drained(RUNS).await?.as_secs_f64();
        report.add(format!("short executions, workers: {workers}"), RUNS as f64 / seconds, "executions/s");
        if workers == 1 {
            report_requests(&fleet, &mut report, before);
        }
        drop(started);
    }
    for workers in 1..=MOST_WORKERS {
        let fleet = Fleet::start().await?;
        let waits: Vec<_> = (0..WAITING_RUNS).map(|n| envelope("wait", &format!("wait-{n}"), 0)).collect();
        fleet.send_all(&waits).await?;
        let started = fleet.workers(workers, &[])?;
        let seconds = fleet.drained(WAITING_RUNS).await?.as_secs_f64();
        let rate = WAITING_RUNS as f64 / seconds;
        report.add(format!("executions that wait 100 ms, workers: {workers}"), rate, "executions/s");
        drop(started);
    }
    idle(&mut report).await?;
    waits(&mut report).await?;
    kill_and_drain(&mut report).await?;
    Ok(report)
}

/// What an execution costs where so many are queued, with two workers.
pub async fn backlog() -> anyhow::Result<Report> {
    let mut report = Report::default();
    for queued in [1_000, 10_000, 100_000] {
        let fleet = Fleet::start().await?;
        fleet.send(queued).await?;
        let _workers = fleet.workers(2, &[])?;
        let seconds = fleet.drained(queued).await?.as_secs_f64();
        report.add(format!("an execution with {queued} queued"), seconds * 1000.0 / queued as f64, "ms");
    }
    Ok(report)
}

async fn idle(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let _worker = fleet.workers(1, &[])?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = fleet.requests();
    tokio::time::sleep(IDLE).await;
    let made = difference(&before, &fleet.requests(), "");
    report.add("requests of an idle worker", made / IDLE.as_secs_f64() * 60.0, "a minute");
    Ok(())
}

async fn waits(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let _worker = fleet.workers(1, &[])?;
    fleet.send(50).await?;
    fleet.drained(50).await?;
    let mut sent = vec![];
    for n in 0..WAITS {
        sent.push((format!("wait-{n}"), Timestamp::now()));
        let (fleet, id) = (&fleet, format!("wait-{n}"));
        fleet.queue.send_batch(&[message(&id, n)]).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fleet.drained(WAITS).await?;
    let mut waited = vec![];
    for (id, sent_at) in sent {
        let found = fleet.records.find(&"hello".parse()?, &id.parse()?).await?.context("no record")?;
        let started_at = found.record.started_at.context("not started")?;
        waited.push(Duration::from_millis((started_at.unix_ms() - sent_at.unix_ms()).max(0) as u64));
    }
    report.add_latencies("from the send to the start, up to 100 a second", waited);
    Ok(())
}

async fn kill_and_drain(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let first = fleet.workers(1, &[])?;
    fleet.queue.send_batch(&[slow("slow-1", 8)]).await?;
    let running = || status(&fleet, "slow-1");
    while running().await? != Some("running".to_owned()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let killed_at = Timestamp::now();
    signal(&first.0[0], Signal::SIGKILL);
    let second = fleet.workers(1, &[])?;
    while status(&fleet, "slow-1").await? != Some("succeeded".to_owned()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let found = fleet.records.find(&"slow".parse()?, &"slow-1".parse()?).await?.context("no record")?;
    let again_at = found.record.started_at.context("not started")?;
    let seconds = (again_at.unix_ms() - killed_at.unix_ms()) as f64 / 1000.0;
    report.add("until what a killed worker ran runs again, visibility 60 s", seconds, "s");

    fleet.send(RUNS).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (asked_at, mut second) = (Instant::now(), second);
    signal(&second.0[0], Signal::SIGTERM);
    ensure!(second.0[0].wait()?.success(), "the drain failed");
    report.add("a drain under load", asked_at.elapsed().as_secs_f64() * 1000.0, "ms");
    Ok(())
}

async fn status(fleet: &Fleet, id: &str) -> anyhow::Result<Option<String>> {
    let found = fleet.records.find(&"slow".parse()?, &id.parse()?).await?;
    let status = found.map(|found| serde_json::to_value(found.record.status)).transpose()?;
    Ok(status.and_then(|status| Some(status.as_str()?.to_owned())))
}

fn report_requests(fleet: &Fleet, report: &mut Report, before: BTreeMap<String, u64>) {
    let after = fleet.requests();
    for (name, prefix) in [
        ("SQS requests of a worker", "SQS."),
        ("S3 PUTs", "S3.PutObject"),
        ("S3 GETs", "S3.GetObject"),
        ("other S3 requests", "S3."),
    ] {
        let mut made = difference(&before, &after, prefix);
        if prefix == "S3." {
            made -= difference(&before, &after, "S3.PutObject") + difference(&before, &after, "S3.GetObject");
        }
        report.add(format!("{name} under load"), made / RUNS as f64, "per execution");
    }
}

fn difference(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, prefix: &str) -> f64 {
    let sum = |counts: &BTreeMap<String, u64>| -> u64 {
        counts.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, count)| count).sum()
    };
    (sum(after) - sum(before)) as f64
}

fn slow(id: &str, seconds: u64) -> OutgoingMessage {
    envelope("slow", id, seconds)
}
