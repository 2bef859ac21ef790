//! A fleet as deployed: workers as processes of their own, the embedded SQS and S3 here, with every request counted.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use badlambda_local::{LocalAws, LocalAwsConfig};
use badlambda_shared::queue::{OutgoingMessage, Queue};
use badlambda_shared::records::Records;
use badlambda_shared::timestamp::Timestamp;
use badlambda_tests::addresses;
use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::report::Report;

const RUNS: u64 = 4000;
const WAITING_RUNS: u64 = 400;
const MOST_WORKERS: usize = 3;
const IDLE: Duration = Duration::from_secs(60);
const WAITS: u64 = 1000;
const PATIENCE: Duration = Duration::from_secs(1200);
const CODE: &str = r#"{ greeting: "Hello, #{event}!" }"#;

/// Throughput by workers, requests per execution and when idle, how long messages wait, how soon a killed worker's
/// messages come back, and how long a drain takes.
pub async fn measure() -> anyhow::Result<Report> {
    let mut report = Report::default();
    for workers in 1..=MOST_WORKERS {
        let fleet = Fleet::start().await?;
        fleet.send(RUNS).await?;
        let before = fleet.requests();
        let started = fleet.workers(workers)?;
        let seconds = fleet.drained(RUNS).await?.as_secs_f64();
        report.add(format!("short executions, workers: {workers}"), RUNS as f64 / seconds, "executions/s");
        if workers == 1 {
            fleet.report_requests(&mut report, before);
        }
        drop(started);
    }
    for workers in 1..=MOST_WORKERS {
        let fleet = Fleet::start().await?;
        let waits: Vec<_> = (0..WAITING_RUNS).map(|n| envelope("wait", &format!("wait-{n}"), 0)).collect();
        fleet.send_all(&waits).await?;
        let started = fleet.workers(workers)?;
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
        let _workers = fleet.workers(2)?;
        let seconds = fleet.drained(queued).await?.as_secs_f64();
        report.add(format!("an execution with {queued} queued"), seconds * 1000.0 / queued as f64, "ms");
    }
    Ok(report)
}

async fn idle(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let _worker = fleet.workers(1)?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = fleet.requests();
    tokio::time::sleep(IDLE).await;
    let made = difference(&before, &fleet.requests(), "");
    report.add("requests of an idle worker", made / IDLE.as_secs_f64() * 60.0, "a minute");
    Ok(())
}

async fn waits(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let _worker = fleet.workers(1)?;
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
    let first = fleet.workers(1)?;
    fleet.queue.send_batch(&[slow("slow-1", 8)]).await?;
    let running = || fleet.status("slow-1");
    while running().await? != Some("running".to_owned()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let killed_at = Timestamp::now();
    signal(&first.0[0], Signal::SIGKILL);
    let second = fleet.workers(1)?;
    while fleet.status("slow-1").await? != Some("succeeded".to_owned()) {
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

/// Servers, and clients of them.
struct Fleet {
    aws: LocalAws,
    queue: Queue,
    records: Records,
    addresses: Value,
    data: TempDir,
}

/// Workers, until they are dropped.
struct Workers(Vec<Child>);

impl Fleet {
    async fn start() -> anyhow::Result<Self> {
        // What a disk has to do for the embedded servers is not what is measured.
        let data = TempDir::new_in("/dev/shm")?;
        let anywhere = ([127, 0, 0, 1], 0).into();
        let aws = badlambda_local::start(LocalAwsConfig::new(anywhere, data.path().join("aws"))).await?;
        let addresses = json!({
            "aws": format!("http://{}", aws.address),
            "queue_url": aws.queue_url,
            "dead_letter_queue_url": aws.dead_letter_queue_url,
            "bucket": aws.bucket,
            "access_key_id": aws.access_key_id,
            "secret_access_key": aws.secret_access_key,
            "region": aws.region,
        });
        let (queue, records) = (addresses::queue(&addresses), addresses::records(&addresses));
        let fleet = Self { aws, queue, records, addresses, data };
        fleet.create_functions().await?;
        Ok(fleet)
    }

    /// By an api that ends afterwards.
    async fn create_functions(&self) -> anyhow::Result<()> {
        let address = addresses::free_address()?;
        let mut api = self.program("badlambda-api")?;
        let api = Workers(vec![api.env("BADLAMBDA_LISTEN", &address).spawn()?]);
        let (http, begun) = (reqwest::Client::builder().no_proxy().build()?, Instant::now());
        for (name, code) in [("hello", CODE), ("slow", "sleep event"), ("wait", "sleep 0.1")] {
            let body = json!({ "name": name, "code": code });
            let url = format!("http://{address}/v1/functions");
            while !http.post(&url).json(&body).send().await.is_ok_and(|answer| answer.status() == 201) {
                ensure!(begun.elapsed() < Duration::from_secs(20), "the api takes no function");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        drop(api);
        Ok(())
    }

    fn program(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("BADLAMBDA_LOG", "error");
        addresses::tell(&mut command, &self.addresses);
        command.env("BADLAMBDA_SCRATCH_DIR", self.data.path().join("scratch")).stdin(Stdio::null());
        Ok(command)
    }

    fn workers(&self, count: usize) -> anyhow::Result<Workers> {
        let start =
            |_| Ok(self.program("badlambda-worker")?.env("BADLAMBDA_LISTEN", "127.0.0.1:0").spawn()?);
        Ok(Workers((0..count).map(start).collect::<anyhow::Result<_>>()?))
    }

    async fn send(&self, count: u64) -> anyhow::Result<()> {
        let messages: Vec<_> = (0..count).map(|n| message(&format!("run-{n}"), n)).collect();
        self.send_all(&messages).await
    }

    async fn send_all(&self, messages: &[OutgoingMessage]) -> anyhow::Result<()> {
        for calls in messages.chunks(80) {
            for sent in join_all(calls.chunks(10).map(|batch| self.queue.send_batch(batch))).await {
                sent?.into_iter().collect::<Result<Vec<_>, _>>()?;
            }
        }
        Ok(())
    }

    /// How long it took from the first message taken to the last one deleted.
    async fn drained(&self, count: u64) -> anyhow::Result<Duration> {
        let asked_at = Instant::now();
        while self.queue.depth().await?.visible == count {
            ensure!(asked_at.elapsed() < PATIENCE, "no worker takes anything");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let begun_at = Instant::now();
        loop {
            let depth = self.queue.depth().await?;
            if depth.visible + depth.held == 0 {
                return Ok(begun_at.elapsed());
            }
            ensure!(begun_at.elapsed() < PATIENCE, "the queue does not get empty: {depth:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn status(&self, id: &str) -> anyhow::Result<Option<String>> {
        let found = self.records.find(&"slow".parse()?, &id.parse()?).await?;
        let status = found.map(|found| serde_json::to_value(found.record.status)).transpose()?;
        Ok(status.and_then(|status| Some(status.as_str()?.to_owned())))
    }

    /// Without those of the benchmark itself.
    fn requests(&self) -> BTreeMap<String, u64> {
        let mut requests = self.aws.requests();
        requests.retain(|name, _| name != "SQS.GetQueueAttributes");
        requests
    }

    fn report_requests(&self, report: &mut Report, before: BTreeMap<String, u64>) {
        let after = self.requests();
        for (name, prefix) in [
            ("SQS requests of a worker", "SQS."),
            ("S3 PUTs", "S3.PutObject"),
            ("S3 GETs", "S3.GetObject"),
            ("other S3 requests", "S3."),
        ] {
            let mut made = difference(&before, &after, prefix);
            if prefix == "S3." {
                made -=
                    difference(&before, &after, "S3.PutObject") + difference(&before, &after, "S3.GetObject");
            }
            report.add(format!("{name} under load"), made / RUNS as f64, "per execution");
        }
    }
}

fn difference(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, prefix: &str) -> f64 {
    let sum = |counts: &BTreeMap<String, u64>| -> u64 {
        counts.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, count)| count).sum()
    };
    (sum(after) - sum(before)) as f64
}

fn message(id: &str, n: u64) -> OutgoingMessage {
    envelope("hello", id, n)
}

fn slow(id: &str, seconds: u64) -> OutgoingMessage {
    envelope("slow", id, seconds)
}

fn envelope(function: &str, id: &str, input: u64) -> OutgoingMessage {
    let body = json!({ "function": function, "version": 1, "id": id, "input": input }).to_string();
    OutgoingMessage {
        body,
        group_id: function.to_owned(),
        delay: Default::default(),
        history: None,
        trace: Default::default(),
    }
}

fn signal(process: &Child, signal: Signal) {
    let _ = kill(Pid::from_raw(process.id() as i32), signal);
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            signal(worker, Signal::SIGTERM);
            let _ = worker.wait();
        }
    }
}
