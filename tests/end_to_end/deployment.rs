//! The deployment's shape: `badlambda aws`, a proxy before it that can misbehave, one api, and workers that come and go.

use std::time::{Duration, Instant};

use badlambda_shared::dead_letters::DeadLetters;
use badlambda_shared::store::Store;
use badlambda_tests::addresses::{self, free_address};
use badlambda_tests::faults::{FaultProxy, Plan};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::elsewhere;
use crate::fleet::{Fleet, PATIENCE, Process, program};

/// Ended in this order: the api, then the servers.
pub struct Deployment {
    /// The api, and clients of everything.
    pub fleet: Fleet,
    pub proxy: FaultProxy,
    pub scratch: Scratch,
    _servers: Option<(Process, TempDir)>,
}

/// A worker, and where its admin port is.
pub struct Worker {
    pub process: Process,
    pub admin: String,
}

impl Deployment {
    /// Everything but workers.
    pub async fn start() -> Self {
        Self::start_with_public_s3(None).await
    }

    /// The same, with presigned URLs that name S3's host otherwise.
    pub async fn start_with_public_s3(host: Option<&str>) -> Self {
        let (mut addresses, servers) = match elsewhere::url() {
            Some(url) => (elsewhere::addresses(&url).await, None),
            None => {
                let data = TempDir::new().unwrap();
                let mut servers = program("badlambda");
                servers.args(["aws", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
                let mut servers = Process::start(servers);
                (servers.first_line(), Some((servers, data)))
            }
        };
        let direct = addresses["aws"].as_str().unwrap().to_owned();
        let proxy = FaultProxy::start(&direct, 1, Plan::default()).unwrap();
        addresses["direct"] = json!(direct);
        addresses["aws"] = json!(proxy.url);
        addresses["public_s3"] = json!(proxy.url.replace("127.0.0.1", host.unwrap_or("127.0.0.1")));
        let address = free_address().unwrap();
        addresses["api"] = json!(format!("http://{address}"));
        let mut api = configured("badlambda-api", &addresses);
        api.env("BADLAMBDA_LISTEN", address);
        let fleet = Fleet::of(Process::start(api), addresses);
        fleet.is_ready(fleet.address("api"), 200).await;
        Self { fleet, proxy, scratch: Scratch::new(), _servers: servers }
    }

    /// A worker that is ready.
    pub async fn worker(&self, settings: &[(&str, &str)]) -> Worker {
        let address = free_address().unwrap();
        let admin = format!("http://{address}");
        let mut command = configured("badlambda-worker", &self.fleet.addresses);
        command
            .env("BADLAMBDA_LISTEN", address)
            .env("BADLAMBDA_SCRATCH_DIR", self.scratch.0.path())
            .env("BADLAMBDA_VISIBILITY_SECONDS", "10")
            .env("BADLAMBDA_SLOTS", "2")
            .envs(settings.iter().copied());
        let worker = Worker { process: Process::start(command), admin };
        self.is_ready(&worker, 200).await;
        worker
    }

    /// Waits until the worker's readiness has this status.
    pub async fn is_ready(&self, worker: &Worker, status: u16) {
        self.fleet.is_ready(&worker.admin, status).await;
    }

    /// The dead-letter queue, as the fleet's operator has it, past the proxy.
    pub fn dead_letters(&self) -> DeadLetters {
        addresses::dead_letters(&self.direct())
    }

    /// The same through the proxy.
    pub fn proxied_dead_letters(&self) -> DeadLetters {
        addresses::dead_letters(&self.fleet.addresses)
    }

    /// The bucket, past the proxy.
    pub fn store(&self) -> Store {
        addresses::store(&self.direct())
    }

    fn direct(&self) -> Value {
        let mut addresses = self.fleet.addresses.clone();
        addresses["aws"] = addresses["direct"].clone();
        addresses
    }
}

impl Worker {
    /// Ends it as a crash does.
    pub fn kill(mut self) {
        self.process.signal(Signal::SIGKILL);
        self.process.wait();
    }

    /// Ends it as an orchestrator does.
    pub fn drain(mut self) {
        self.process.signal(Signal::SIGTERM);
        assert_eq!(self.process.wait(), Some(0));
    }
}

/// With the name by which presigned URLs know S3.
fn configured(name: &str, addresses: &Value) -> std::process::Command {
    let mut command = elsewhere::configured(name, addresses);
    command.env("BADLAMBDA_PUBLIC_S3_ENDPOINT", addresses["public_s3"].as_str().unwrap());
    command
}

/// A folder for scratch folders, in which executions show that they have begun, by a file `begun`.
pub struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> Self {
        Self(TempDir::with_prefix_in("badlambda-test-", "/dev/shm").unwrap())
    }

    pub fn setting(&self) -> (&'static str, &str) {
        ("BADLAMBDA_SCRATCH_DIR", self.0.path().to_str().unwrap())
    }

    /// Waits until exactly so many executions run that have written their file.
    pub async fn begun(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.running() != count {
            assert!(Instant::now() < deadline, "{} run, and not {count}", self.running());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How many run that have written their file.
    pub fn running(&self) -> usize {
        let folders = std::fs::read_dir(self.0.path()).unwrap();
        folders.flatten().filter(|folder| folder.path().join("scratch/begun").exists()).count()
    }
}
