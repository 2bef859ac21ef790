//! A fleet whose SQS and S3 take as long as AWS's: api and worker each behind a proxy that delays every request. On
//! loopback, how many requests follow one another does not show.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use badlambda_client::{Client, Submit};
use badlambda_shared::aws::queue::OutgoingMessage;
use badlambda_shared::execution::{Execution, Status};
use badlambda_shared::timestamp::Timestamp;
use badlambda_tests::faults::FaultProxy;

use crate::fixture::{Fleet, Programs, envelope, wait_until_ready};
use crate::report::Report;
use crate::stations::{Trace, Waited};

const WARM_UP: usize = 20;
const ANSWERS: usize = 200;
/// Until the calls of an answered execution have come to their end, and those of the next one are its own.
const PAUSE: Duration = Duration::from_millis(60);
/// Until the last ones are listed, and their messages deleted.
const UNTIL_DELETED: Duration = Duration::from_secs(4);
const LONG_ANSWERS: usize = 3;
const LONG_SECONDS: u64 = 5;
const SLOTS: [usize; 3] = [4, 16, 64];
/// About how long one measure of a rate takes, if all slots are busy.
const RATE_SECONDS: f64 = 6.0;
/// More than a worker makes of trivial functions in that time.
const MOST_MESSAGES: f64 = 4000.0;
const FEWEST_MESSAGES: f64 = 200.0;

/// How long from submit to answer, how many executions a worker makes by slots and duration, and requests of each.
pub async fn measure() -> anyhow::Result<Report> {
    let mut report = Report::default();
    answers(&mut report).await?;
    for load in [Load::Trivial, Load::Once, Load::Seconds(0.05), Load::Seconds(0.15), Load::Mixed] {
        for slots in SLOTS {
            rate(&mut report, load, slots).await?;
        }
    }
    Ok(report)
}

/// One execution at a time, each waited for over HTTP.
async fn answers(report: &mut Report) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let (to_api, to_worker) = (fleet.delayed()?, fleet.delayed()?);
    let (_api, address) = fleet.api(&to_api.url)?;
    let _worker = Programs(vec![fleet.worker(&to_worker.url, &[])?]);
    wait_until_ready(&reqwest::Client::builder().no_proxy().build()?, &address).await?;
    let client = Client::new(address.parse()?, None)?;
    for (function, what) in [("hello", "submit to answer"), ("once", "submit to answer, store_result: large")]
    {
        for _ in 0..WARM_UP {
            execute(&client, function, 1).await?;
        }
        let before = Requests::of(&to_api);
        // What came before is not theirs.
        to_api.take_trace();
        to_worker.take_trace();
        let (mut taken, mut executions) = (vec![], vec![]);
        for n in 0..ANSWERS {
            let submitted_at = Instant::now();
            execute(&client, function, n as u64).await?;
            let answered_at = Instant::now();
            taken.push(answered_at - submitted_at);
            executions.push(Waited { submitted_at, answered_at });
            tokio::time::sleep(PAUSE).await;
        }
        let gets = Requests::of(&to_api).since(&before).gets;
        report.add_latencies(what, taken);
        tokio::time::sleep(UNTIL_DELETED).await;
        let (by_api, by_worker) = (to_api.take_trace(), to_worker.take_trace());
        Trace { by_api, by_worker, executions }.add_stations(report, what)?;
        report.add(format!("{what}: S3 GETs of the api"), gets / ANSWERS as f64, "per execution");
    }

    execute(&client, "slow", LONG_SECONDS).await?;
    let before = Requests::of(&to_api);
    let mut late = vec![];
    for _ in 0..LONG_ANSWERS {
        let execution = execute(&client, "slow", LONG_SECONDS).await?;
        let finished_at = execution.finished_at.context("it has no end")?;
        late.push(Duration::from_millis((Timestamp::now().unix_ms() - finished_at.unix_ms()).max(0) as u64));
    }
    let gets = Requests::of(&to_api).since(&before).gets;
    report.add_latencies(&format!("told after the end of a run of {LONG_SECONDS} s"), late);
    report.add("S3 GETs of the api for such a run", gets / LONG_ANSWERS as f64, "");
    Ok(())
}

/// What is run to measure a rate.
#[derive(Clone, Copy)]
enum Load {
    Trivial,
    /// Trivial functions whose results stand in their records alone.
    Once,
    Seconds(f64),
    /// Trivial functions, of which one in twenty takes 3 s.
    Mixed,
}

impl Load {
    const MIXED_SECONDS: f64 = 3.0;
    const MIXED_EVERY: u64 = 20;

    fn name(self) -> String {
        match self {
            Self::Trivial => "trivial functions".to_owned(),
            Self::Once => "trivial functions, store_result: large".to_owned(),
            Self::Seconds(seconds) => format!("functions of {} ms", seconds * 1000.0),
            Self::Mixed => "trivial functions, 5 % of them of 3 s".to_owned(),
        }
    }

    /// What an execution takes on average, in seconds; next to nothing where it is trivial.
    fn seconds(self) -> f64 {
        match self {
            Self::Trivial | Self::Once => 0.0,
            Self::Seconds(seconds) => seconds,
            Self::Mixed => Self::MIXED_SECONDS / Self::MIXED_EVERY as f64,
        }
    }

    /// As many as fill the slots for some seconds.
    fn count(self, slots: usize) -> u64 {
        (slots as f64 * RATE_SECONDS / self.seconds()).clamp(FEWEST_MESSAGES, MOST_MESSAGES) as u64
    }

    fn message(self, n: u64) -> OutgoingMessage {
        let id = format!("run-{n}");
        match self {
            Self::Seconds(seconds) => envelope("slow", &id, seconds),
            Self::Mixed if n.is_multiple_of(Self::MIXED_EVERY) => envelope("slow", &id, Self::MIXED_SECONDS),
            Self::Once => envelope("once", &id, n),
            Self::Trivial | Self::Mixed => envelope("hello", &id, n),
        }
    }
}

/// One worker and a queue that is full before it starts.
async fn rate(report: &mut Report, load: Load, slots: usize) -> anyhow::Result<()> {
    let fleet = Fleet::start().await?;
    let to_worker = fleet.delayed()?;
    let count = load.count(slots);
    let messages: Vec<_> = (0..count).map(|n| load.message(n)).collect();
    fleet.send_all(&messages).await?;
    let _worker = Programs(vec![fleet.worker(&to_worker.url, &[("BADLAMBDA_SLOTS", &slots.to_string())])?]);
    let seconds = fleet.drained(count).await?.as_secs_f64();
    let requests = Requests::of(&to_worker);
    let name = format!("{}, {slots} slots", load.name());
    report.add(&name, count as f64 / seconds, "executions/s");
    if load.seconds() > 0.0 {
        let busy = count as f64 * load.seconds() / (slots as f64 * seconds);
        report.add(format!("{name}: of its slots busy"), busy * 100.0, "%");
    }
    for (what, made) in
        [("SQS requests", requests.sqs), ("S3 PUTs", requests.puts), ("S3 GETs", requests.gets)]
    {
        report.add(format!("{name}: {what}"), made / count as f64, "per execution");
    }
    Ok(())
}

/// How many requests went through a proxy.
struct Requests {
    sqs: f64,
    puts: f64,
    gets: f64,
}

impl Requests {
    fn of(proxy: &FaultProxy) -> Self {
        let mut requests = Self { sqs: 0.0, puts: 0.0, gets: 0.0 };
        for (call, made) in proxy.calls() {
            let made = made as f64;
            match call.operation.as_str() {
                "PutObject" => requests.puts += made,
                "GetObject" => requests.gets += made,
                "ReceiveMessage"
                | "DeleteMessageBatch"
                | "ChangeMessageVisibilityBatch"
                | "SendMessageBatch" => {
                    requests.sqs += made;
                }
                _ => {}
            }
        }
        requests
    }

    fn since(&self, before: &Self) -> Self {
        let Self { sqs, puts, gets } = before;
        Self { sqs: self.sqs - sqs, puts: self.puts - puts, gets: self.gets - gets }
    }
}

/// Submits an input, and waits.
async fn execute(client: &Client, function: &str, input: u64) -> anyhow::Result<Execution> {
    let submit = Submit { wait: Some(Duration::from_secs(30)), ..Submit::default() };
    let execution = client.execute_function(&function.parse()?, input.to_string(), &submit).await?;
    ensure!(execution.status == Status::Succeeded, "{execution:?}");
    Ok(execution)
}
