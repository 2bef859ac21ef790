//! A fleet as deployed: the embedded SQS and S3 in this process, api and workers as processes of their own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use badlambda_local::{LocalAws, LocalAwsConfig};
use badlambda_shared::aws::queue::{OutgoingMessage, Queue};
use badlambda_shared::execution::records::Records;
use badlambda_shared::index::{Hour, hours_since};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use badlambda_tests::addresses;
use badlambda_tests::faults::{FaultProxy, Latency, Plan};
use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(1200);
const FUNCTIONS_AT_ONCE: usize = 16;
/// What the delays of proxies are drawn from.
const SEED: u64 = 1;
const HELLO: &str = r#"{ greeting: "Hello, #{event}!" }"#;
/// What is run: trivial, the same with its result in the record alone, as long as the event says in seconds, and a tenth
/// of a second.
const FUNCTIONS: [(&str, &str, &str); 4] = [
    ("hello", HELLO, "always"),
    ("once", HELLO, "large"),
    ("slow", "sleep event", "always"),
    ("wait", "sleep 0.1", "always"),
];

/// Servers, and clients of them.
pub struct Fleet {
    aws: LocalAws,
    pub queue: Queue,
    pub records: Records,
    pub addresses: Value,
    data: TempDir,
}

/// Programs that are ended when this is dropped.
pub struct Programs(pub Vec<Child>);

impl Fleet {
    /// Servers with the functions of most benchmarks, and no worker.
    pub async fn start() -> anyhow::Result<Self> {
        let functions = FUNCTIONS.map(|(name, code, store_result)| {
            json!({ "name": name, "code": code, "config": { "store_result": store_result } })
        });
        Self::with_functions(&functions).await
    }

    /// Servers with functions, each as the API takes it, and no worker.
    pub async fn with_functions(functions: &[Value]) -> anyhow::Result<Self> {
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
        fleet.create_functions(functions).await?;
        Ok(fleet)
    }

    /// By an api that ends afterwards.
    async fn create_functions(&self, functions: &[Value]) -> anyhow::Result<()> {
        let (_api, address) = self.api(self.url())?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        wait_until_ready(&http, &address).await?;
        let create = |function: &Value| http.post(format!("{address}/v1/functions")).json(function).send();
        for some in functions.chunks(FUNCTIONS_AT_ONCE) {
            for created in join_all(some.iter().map(create)).await {
                let created = created?;
                ensure!(created.status() == 201, "a function was refused: {}", created.text().await?);
            }
        }
        Ok(())
    }

    /// The URL of SQS and S3.
    pub fn url(&self) -> &str {
        addresses::text(&self.addresses, "aws")
    }

    /// A proxy before SQS and S3 that takes as long as AWS does.
    pub fn delayed(&self) -> anyhow::Result<FaultProxy> {
        let plan = Plan { latency: Latency::AWS, ..Plan::default() };
        Ok(FaultProxy::start(self.url(), SEED, plan)?)
    }

    /// An api that has SQS and S3 at `aws`, and its URL.
    pub fn api(&self, aws: &str) -> anyhow::Result<(Programs, String)> {
        let address = addresses::free_address()?;
        let api = self.program("badlambda-api", aws)?.env("BADLAMBDA_LISTEN", &address).spawn()?;
        Ok((Programs(vec![api]), format!("http://{address}")))
    }

    /// A worker that has SQS and S3 at `aws`, with these settings.
    pub fn worker(&self, aws: &str, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
        let mut worker = self.program("badlambda-worker", aws)?;
        worker.env("BADLAMBDA_LISTEN", "127.0.0.1:0").envs(settings.iter().copied());
        Ok(worker.spawn()?)
    }

    fn program(&self, name: &str, aws: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("BADLAMBDA_LOG", "error");
        let mut addresses = self.addresses.clone();
        addresses["aws"] = json!(aws);
        addresses::tell(&mut command, &addresses);
        command.env("BADLAMBDA_SCRATCH_DIR", self.data.path().join("scratch")).stdin(Stdio::null());
        Ok(command)
    }

    /// So many workers with these settings.
    pub fn workers(&self, count: usize, settings: &[(&str, &str)]) -> anyhow::Result<Programs> {
        let mut workers = Programs(vec![]);
        for _ in 0..count {
            workers.0.push(self.worker(self.url(), settings)?);
        }
        Ok(workers)
    }

    /// Sends so many messages for `hello`.
    pub async fn send(&self, count: u64) -> anyhow::Result<()> {
        let messages: Vec<_> = (0..count).map(|n| message(&format!("run-{n}"), n)).collect();
        self.send_all(&messages).await
    }

    /// Sends messages, all about as large, as fast as the queue takes them.
    pub async fn send_all(&self, messages: &[OutgoingMessage]) -> anyhow::Result<()> {
        let largest = messages.iter().map(OutgoingMessage::bytes).max().unwrap_or(1);
        let in_a_batch = (limits::SQS_MESSAGE_BYTES / largest).clamp(1, limits::SQS_BATCH);
        for calls in messages.chunks(8 * in_a_batch) {
            for sent in join_all(calls.chunks(in_a_batch).map(|batch| self.queue.send_batch(batch))).await {
                sent?.into_iter().collect::<Result<Vec<_>, _>>()?;
            }
        }
        Ok(())
    }

    /// How long it took from the first message taken to the last execution's end. Its message is deleted up to three
    /// seconds later, with those of others.
    pub async fn drained(&self, count: u64) -> anyhow::Result<Duration> {
        let asked_at = Instant::now();
        while self.queue.depth().await?.visible == count {
            ensure!(asked_at.elapsed() < PATIENCE, "no worker takes anything");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (begun_at, first) = (Instant::now(), Timestamp::now());
        loop {
            let depth = self.queue.depth().await?;
            if depth.visible + depth.held == 0 {
                return Ok(first.until(self.last_end().await?));
            }
            ensure!(begun_at.elapsed() < PATIENCE, "the queue does not get empty: {depth:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// When the last execution ended, as the index tells.
    async fn last_end(&self) -> anyhow::Result<Timestamp> {
        let store = addresses::store(&self.addresses);
        let hours = hours_since(&store, Hour::now().before(2)).await?;
        let newest = hours.last().context("nothing is listed")?;
        let newest = store.list(&store.keys().index_hour(*newest), None, 1).await?;
        let name = newest.keys.first().and_then(|key| store.keys().segment_of(key));
        Timestamp::from_unix_ms(name.context("nothing is listed")?.newest_ms).context("it has no time")
    }

    /// Requests so far, without those of the benchmark itself.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let mut requests = self.aws.requests();
        requests.retain(|name, _| name != "SQS.GetQueueAttributes");
        requests
    }
}

/// What `badlambda` prints first, once it serves.
pub fn announced(process: &mut Child) -> anyhow::Result<Value> {
    let mut line = String::new();
    BufReader::new(process.stdout.take().context("it has no stdout")?).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// Waits until the api at `address` is ready.
pub async fn wait_until_ready(http: &reqwest::Client, address: &str) -> anyhow::Result<()> {
    let (begun_at, url) = (Instant::now(), format!("{address}/readyz"));
    while !http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
        ensure!(begun_at.elapsed() < Duration::from_secs(20), "the api does not get ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A message for `hello`.
pub fn message(id: &str, n: u64) -> OutgoingMessage {
    envelope("hello", id, n)
}

/// A message for a function.
pub fn envelope(function: &str, id: &str, input: impl Into<Value>) -> OutgoingMessage {
    let body = json!({ "function": function, "version": 1, "id": id, "input": input.into() }).to_string();
    OutgoingMessage {
        body,
        group_id: function.to_owned(),
        delay: Default::default(),
        history: None,
        trace: Default::default(),
    }
}

/// Sends a signal.
pub fn signal(process: &Child, signal: Signal) {
    let _ = kill(Pid::from_raw(process.id() as i32), signal);
}

impl Programs {
    /// Waits until one of them has ended by itself.
    pub async fn any_ended(&mut self) -> std::io::Result<ExitStatus> {
        loop {
            for program in &mut self.0 {
                if let Some(status) = program.try_wait()? {
                    return Ok(status);
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        for program in &mut self.0 {
            signal(program, Signal::SIGTERM);
            let _ = program.wait();
        }
    }
}
