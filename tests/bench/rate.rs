//! One measurement of a fleet: how many executions its workers make of a queue that is full before they start.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use badlambda_shared::execution::Status;
use badlambda_shared::limits;
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Map, Value, json};

use crate::fixture::{Fleet, Programs, envelope};
use crate::report::Report;

/// Does as much as its input says.
const CODE: &str = include_str!("load.rb");
/// How many executions are looked up afterwards, to see whether they succeeded.
const LOOKED_UP: usize = 20;
/// With the rest of the input it still goes with the message, not to S3.
const MOST_INPUT_BYTES: u64 = limits::CLAIM_CHECK_BYTES as u64 - 1024;
/// With the greeting it is still no larger than a result may be.
const MOST_RESULT_BYTES: u64 = limits::MAX_RESULT_BYTES.default - 1024;

/// What the workers are, and what they have to do.
#[derive(Args)]
pub struct FullQueue {
    /// Workers, each a process of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=16))]
    workers: u64,
    /// Executions at once in each worker; cores × 2 by default
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=256))]
    slots: Option<u64>,
    /// Executions in the queue before the workers start
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    queued: u64,
    /// Functions, which the executions run in turn
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    functions: u64,
    /// Functions in handler form
    #[arg(long)]
    handler: bool,
    /// Bytes that are added to each input
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=MOST_INPUT_BYTES))]
    input_bytes: u64,
    /// Bytes that are added to each result
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=MOST_RESULT_BYTES))]
    result_bytes: u64,
    /// Bytes that each execution logs
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=limits::MAX_LOG_BYTES.default))]
    log_bytes: u64,
    /// Milliseconds that each execution computes
    #[arg(long, default_value_t = 0)]
    work_ms: u64,
    /// Milliseconds that each execution sleeps
    #[arg(long, default_value_t = 0)]
    wait_ms: u64,
}

impl FullQueue {
    /// Executions per second, and what each costs in CPU time and requests.
    pub async fn measure(&self) -> anyhow::Result<Report> {
        let functions: Vec<_> =
            (0..self.functions).map(|n| json!({ "name": function(n), "code": self.code() })).collect();
        let fleet = Fleet::with_functions(&functions).await?;
        self.fill_queue(&fleet).await?;
        let requests_before = fleet.requests();
        let (servers_before, workers_before) = (cpu(UsageWho::RUSAGE_SELF)?, cpu(UsageWho::RUSAGE_CHILDREN)?);
        let mut workers = self.start_workers(&fleet)?;
        let taken = tokio::select! {
            taken = fleet.drained(self.queued) => taken?,
            ended = workers.any_ended() => bail!("a worker ended: {}", ended?),
        };
        let requests = fleet.requests();
        let servers = cpu(UsageWho::RUSAGE_SELF)? - servers_before;
        // What they used counts once they have ended.
        drop(workers);
        let workers = cpu(UsageWho::RUSAGE_CHILDREN)? - workers_before;
        self.look_up_some(&fleet).await?;

        let mut report = Report::default();
        let each = |total: f64| total / self.queued as f64;
        report.add("executions", self.queued as f64 / taken.as_secs_f64(), "executions/s");
        report.add("CPU of the workers, from start to end", each(workers.as_secs_f64() * 1000.0), "ms each");
        report.add("CPU of SQS, S3 and this benchmark", each(servers.as_secs_f64() * 1000.0), "ms each");
        for (name, made) in made_between(&requests_before, &requests) {
            report.add(name, each(made), "requests each");
        }
        Ok(report)
    }

    fn code(&self) -> String {
        if self.handler { format!("def handler(event:, context:)\n{CODE}\nend\n") } else { CODE.to_owned() }
    }

    fn input(&self) -> Value {
        let mut input = Map::from_iter([("name".to_owned(), json!("Ada"))]);
        let asked = [
            ("work_ms", self.work_ms),
            ("wait_ms", self.wait_ms),
            ("log_bytes", self.log_bytes),
            ("result_bytes", self.result_bytes),
        ];
        input.extend(asked.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), json!(n))));
        if self.input_bytes > 0 {
            input.insert("padding".to_owned(), json!("x".repeat(self.input_bytes as usize)));
        }
        Value::Object(input)
    }

    /// Piece by piece: with large inputs, all messages would not fit into memory.
    async fn fill_queue(&self, fleet: &Fleet) -> anyhow::Result<()> {
        let input = self.input();
        let numbers: Vec<u64> = (0..self.queued).collect();
        for some in numbers.chunks(1000) {
            let message = |n: &u64| envelope(&function(n % self.functions), &id(*n), input.clone());
            fleet.send_all(&some.iter().map(message).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    fn start_workers(&self, fleet: &Fleet) -> anyhow::Result<Programs> {
        let slots = self.slots.map(|slots| slots.to_string());
        let settings: Vec<_> = slots.iter().map(|slots| ("BADLAMBDA_SLOTS", slots.as_str())).collect();
        fleet.workers(self.workers as usize, &settings)
    }

    /// A rate of failures would be none.
    async fn look_up_some(&self, fleet: &Fleet) -> anyhow::Result<()> {
        for n in (0..self.queued).step_by((self.queued as usize).div_ceil(LOOKED_UP)) {
            let (function, id) = (function(n % self.functions), id(n));
            let found = fleet.records.find(&function.parse()?, &id.parse()?).await?;
            let record = found.with_context(|| format!("{id} has no record"))?.record;
            ensure!(record.status == Status::Succeeded, "{id} did not succeed: {record:?}");
        }
        Ok(())
    }
}

fn function(n: u64) -> String {
    format!("load-{n}")
}

fn id(n: u64) -> String {
    format!("run-{n}")
}

/// CPU time so far of this process, or of its children that have ended and all theirs.
fn cpu(of: UsageWho) -> anyhow::Result<Duration> {
    let usage = getrusage(of)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

fn made_between(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<(String, f64)> {
    let since = |name: &String, count: u64| count - before.get(name).copied().unwrap_or(0);
    let made = after.iter().map(|(name, count)| (name.clone(), since(name, *count) as f64));
    made.filter(|(_, count)| *count > 0.0).collect()
}
