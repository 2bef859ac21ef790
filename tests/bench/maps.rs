//! Maps: their rate beside the executor's own and that of single executions, requests and memory, and how long single
//! executions take beside one.

use std::time::{Duration, Instant};

use anyhow::ensure;
use badlambda_client::{Body, Client, Submit, SubmitMap};
use badlambda_shared::execution::Status;
use badlambda_shared::function::Form;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::map::{Map, MapStatus};
use clap::Args;
use futures::stream;
use tokio::task::spawn_blocking;

use crate::executor;
use crate::fixture::{Fleet, Programs, wait_until_ready};
use crate::processes::mib;
use crate::report::Report;

/// Lines of a piece of the body.
const LINES_AT_ONCE: u64 = 1000;
const EXECUTIONS: u64 = 2000;
const EXECUTOR_RUNS: usize = 4000;
const WARM_UP: usize = 20;
/// Single executions that are measured without a map, and as many beside one.
const SINGLES: usize = 300;
const PAUSE: Duration = Duration::from_millis(20);
/// Items that keep a worker busy for long enough.
const ITEMS_BESIDE: u64 = 1_000_000;

/// What is mapped.
#[derive(Args)]
pub struct Size {
    /// Only how long single executions take beside a map
    #[arg(long)]
    beside: bool,
    /// Inputs of the map
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1000..=1_000_000))]
    items: u64,
}

impl Size {
    /// All of it.
    pub async fn measure(&self) -> anyhow::Result<Report> {
        let mut report = Report::default();
        if self.beside {
            return beside_maps(report).await;
        }
        let own = spawn_blocking(|| executor::rate_of_two(Form::Script, EXECUTOR_RUNS)).await??;
        report.add("executor alone, two zygotes, two callers", own, "executions/s");
        single_rate(&mut report).await?;
        let mapped = self.on_loopback(&mut report).await?;
        report.add("map against the executor alone", mapped / own, "×");
        self.at_latency(&mut report).await?;
        beside_maps(report).await
    }

    /// Rate, and memory while it runs.
    async fn on_loopback(&self, report: &mut Report) -> anyhow::Result<f64> {
        let fleet = Fleet::start().await?;
        let (api, address) = fleet.api(fleet.url())?;
        let worker = fleet.worker(fleet.url(), &[])?;
        let (api_pid, worker_pid) = (api.0[0].id(), worker.id());
        let _worker = Programs(vec![worker]);
        let client = client(&address).await?;
        let begun_at = Instant::now();
        let map = submit(&client, "hello", self.items).await?;
        report.add(format!("upload of {} inputs", self.items), begun_at.elapsed().as_secs_f64(), "s");
        let mut shares = [0.1, 0.5, 0.9].into_iter().peekable();
        loop {
            let now = client.get_map(&map.function, &map.id, None).await?;
            let share = (now.succeeded + now.failed) as f64 / now.total as f64;
            if shares.next_if(|next| share >= *next).is_some() {
                for (name, pid) in [("api", api_pid), ("worker", worker_pid)] {
                    let resident = mib(pid, "Rss").unwrap_or_default();
                    report.add(
                        format!("resident memory of the {name}, {:.0} % done", share * 100.0),
                        resident,
                        "MiB",
                    );
                }
            }
            if now.status.is_final() {
                ensure!(now.status == MapStatus::Finished && now.failed == 0, "{now:?}");
                let rate = now.per_second.unwrap_or_default();
                report.add(format!("map of {} items, one worker", self.items), rate, "items/s");
                self.read_all(report, &client, &now).await?;
                return Ok(rate);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn read_all(&self, report: &mut Report, client: &Client, map: &Map) -> anyhow::Result<()> {
        let begun_at = Instant::now();
        let mut results = client.get_map_results(&map.function, &map.id, 0).await?;
        let mut lines = 0;
        while let Some(line) = results.next_line().await? {
            ensure!(line.starts_with(format!("{{\"index\":{lines},").as_bytes()), "{lines} is missing");
            lines += 1;
        }
        ensure!(lines == self.items, "{lines} results");
        report.add("reading all results", begun_at.elapsed().as_secs_f64(), "s");
        Ok(())
    }

    /// Rate and requests where SQS and S3 take as long as AWS's.
    async fn at_latency(&self, report: &mut Report) -> anyhow::Result<()> {
        let fleet = Fleet::start().await?;
        let (to_api, to_worker) = (fleet.delayed()?, fleet.delayed()?);
        let (_api, address) = fleet.api(&to_api.url)?;
        let client = client(&address).await?;
        let map = submit(&client, "hello", self.items).await?;
        let _worker = Programs(vec![fleet.worker(&to_worker.url, &[])?]);
        let map = until_finished(&client, map).await?;
        let name = format!("map of {} items at AWS's latencies", self.items);
        report.add(&name, map.per_second.unwrap_or_default(), "items/s");
        let each = |made: u64| made as f64 * 1000.0 / self.items as f64;
        for (who, proxy) in [("api", &to_api), ("worker", &to_worker)] {
            let calls = proxy.calls();
            let of_sqs = |operation: &str| operation.ends_with("Message") || operation.ends_with("Batch");
            let (mut sqs, mut s3) = (0, 0);
            for (call, made) in calls {
                if of_sqs(&call.operation) {
                    sqs += made;
                } else {
                    s3 += made;
                }
                report.add(format!("{name}: {} of the {who}", call.operation), each(made), "per 1,000 items");
            }
            report.add(format!("{name}: SQS requests of the {who}"), each(sqs), "per 1,000 items");
            report.add(format!("{name}: S3 requests of the {who}"), each(s3), "per 1,000 items");
        }
        Ok(())
    }
}

/// Single executions from a full queue, by a worker like the map's.
async fn single_rate(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    fleet.send(EXECUTIONS).await?;
    let _worker = Programs(vec![fleet.worker(fleet.url(), &[])?]);
    let seconds = fleet.drained(EXECUTIONS).await?.as_secs_f64();
    report.add("single executions, one worker", EXECUTIONS as f64 / seconds, "executions/s");
    Ok(())
}

async fn beside_maps(mut report: Report) -> anyhow::Result<Report> {
    for is_at_latency in [false, true] {
        beside_a_map(&mut report, is_at_latency).await?;
    }
    Ok(report)
}

/// How long single executions of one function take while another one is mapped.
async fn beside_a_map(report: &mut Report, is_at_latency: bool) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let proxies = [fleet.delayed()?, fleet.delayed()?];
    let [to_api, to_worker] =
        if is_at_latency { [&*proxies[0].url, &*proxies[1].url] } else { [fleet.url(), fleet.url()] };
    let (_api, address) = fleet.api(to_api)?;
    let _worker = Programs(vec![fleet.worker(to_worker, &[])?]);
    let client = client(&address).await?;
    let place = if is_at_latency { "at AWS's latencies" } else { "on loopback" };
    execute(&client, WARM_UP).await?;
    execute(&client, SINGLES).await?.add_to(report, &format!("single executions {place}, without a map"));
    let map = submit(&client, "once", ITEMS_BESIDE).await?;
    execute(&client, WARM_UP).await?;
    let beside = execute(&client, SINGLES).await?;
    let map = client.cancel_map(&map.function, &map.id).await?;
    ensure!(map.succeeded > 0 && map.status == MapStatus::Cancelled, "it ran beside no map: {map:?}");
    beside.add_to(report, &format!("single executions {place}, beside a map"));
    Ok(())
}

/// How long executions took, and how much of that passed before they began, and before they were told of.
#[derive(Default)]
struct Latencies {
    whole: Vec<Duration>,
    queued: Vec<Duration>,
    told: Vec<Duration>,
}

impl Latencies {
    fn add_to(self, report: &mut Report, name: &str) {
        report.add_latencies(name, self.whole);
        report.add_latencies(&format!("{name}: of it until the start"), self.queued);
        report.add_latencies(&format!("{name}: of it from the end to the answer"), self.told);
    }
}

async fn execute(client: &Client, count: usize) -> anyhow::Result<Latencies> {
    let function: FunctionName = "hello".parse()?;
    let submit = Submit { wait: Some(Duration::from_secs(30)), ..Submit::default() };
    let mut taken = Latencies::default();
    for n in 0..count {
        let begun_at = Instant::now();
        let execution = client.execute_function(&function, n.to_string(), &submit).await?;
        ensure!(execution.status == Status::Succeeded, "{execution:?}");
        taken.whole.push(begun_at.elapsed());
        if let (Some(started_at), Some(finished_at)) = (execution.started_at, execution.finished_at) {
            taken.queued.push(execution.submitted_at.until(started_at));
            taken.told.push(finished_at.age());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(taken)
}

async fn submit(client: &Client, function: &str, items: u64) -> anyhow::Result<Map> {
    let piece = move |first: u64| {
        let lines = (first..items.min(first + LINES_AT_ONCE)).map(|n| format!("{n}\n"));
        Ok::<_, std::io::Error>(lines.collect::<String>())
    };
    let pieces = (0..items).step_by(LINES_AT_ONCE as usize).map(piece);
    let body = Body::wrap_stream(stream::iter(pieces));
    Ok(client.create_map(&function.parse()?, body, &SubmitMap::default()).await?)
}

async fn until_finished(client: &Client, mut map: Map) -> anyhow::Result<Map> {
    while !map.status.is_final() {
        map = client.get_map(&map.function, &map.id, Some(Duration::from_secs(20))).await?;
    }
    ensure!(map.status == MapStatus::Finished && map.failed == 0, "{map:?}");
    Ok(map)
}

async fn client(address: &str) -> anyhow::Result<Client> {
    wait_until_ready(&reqwest::Client::builder().no_proxy().build()?, address).await?;
    Ok(Client::new(address.parse()?, None)?)
}
