//! The processes: the embedded servers, one api, three workers.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use badlambda_tests::addresses::{self, free_address, text};
use badlambda_tests::faults::{FaultProxy, Plan};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const WORKERS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that runs.
pub struct Fleet {
    /// As the embedded servers tell them, but by the proxy, and with the api's.
    pub addresses: Value,
    /// The servers' own address, for the verdict.
    pub direct: Value,
    pub proxy: FaultProxy,
    _data: TempDir,
    scratch: TempDir,
    servers: Child,
    pub api: Child,
    pub workers: Vec<Child>,
    /// Everything that was ever below a worker.
    below: BTreeSet<i32>,
}

impl Fleet {
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        let data = TempDir::new()?;
        let scratch = TempDir::with_prefix_in("badlambda-chaos-", "/dev/shm")?;
        let mut command = program("badlambda")?;
        command.args(["aws", "--listen", "127.0.0.1:0", "--data"]).arg(data.path().join("aws"));
        let mut servers = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(servers.stdout.take().context("no stdout")?).read_line(&mut line)?;
        let direct: Value = serde_json::from_str(&line)?;
        let proxy = FaultProxy::start(text(&direct, "aws"), seed, Plan::default())?;
        let mut addresses = direct.clone();
        addresses["aws"] = json!(proxy.url);
        addresses["api"] = json!(format!("http://{}", free_address()?));
        let api = start_api(&addresses)?;
        let mut workers = vec![];
        for _ in 0..WORKERS {
            workers.push(start_worker(&addresses, &scratch)?);
        }
        let fleet = Self {
            addresses,
            direct,
            proxy,
            _data: data,
            scratch,
            servers,
            api,
            workers,
            below: BTreeSet::new(),
        };
        fleet.ready().await?;
        Ok(fleet)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let (url, begun) = (format!("{}/readyz", text(&self.addresses, "api")), Instant::now());
        let client = reqwest::Client::builder().no_proxy().build()?;
        while !client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
            ensure!(begun.elapsed() < PATIENCE, "the api does not get ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Puts a new worker in the place of one that has ended.
    pub fn replace_worker(&mut self, index: usize) -> anyhow::Result<()> {
        self.workers[index] = start_worker(&self.addresses, &self.scratch)?;
        Ok(())
    }

    /// Puts a new api in the place of one that has ended.
    pub fn replace_api(&mut self) -> anyhow::Result<()> {
        self.api = start_api(&self.addresses)?;
        Ok(())
    }

    /// Remembers what runs below the workers, which must not outlive the fleet.
    pub fn remember_what_is_below(&mut self) {
        let parents = parents();
        let workers: Vec<i32> = self.workers.iter().map(|worker| worker.id() as i32).collect();
        for &(pid, _) in &parents {
            let mut above = pid;
            while let Some(&(_, parent)) = parents.iter().find(|(pid, _)| *pid == above) {
                if workers.contains(&parent) {
                    self.below.insert(pid);
                }
                above = parent;
            }
        }
    }

    /// Ends everything, and tells what is left of it.
    pub async fn stop(mut self) -> anyhow::Result<Vec<String>> {
        let mut left = vec![];
        self.remember_what_is_below();
        for process in self.workers.iter_mut().chain([&mut self.api]) {
            signal(process, Signal::SIGTERM);
            let status = process.wait()?;
            if status.code() != Some(0) {
                left.push(format!("a process that was told to stop ended with {status}"));
            }
        }
        signal(&self.servers, Signal::SIGTERM);
        self.servers.wait()?;
        // Cleaner wait until the system's first process has reaped what they ended.
        let deadline = Instant::now() + PATIENCE;
        while self.below.iter().any(|pid| ours(*pid)) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let alive = |pid: &&i32| ours(**pid);
        left.extend(self.below.iter().filter(alive).map(|pid| format!("process {pid} is left")));
        left.extend(
            files(self.scratch.path()).into_iter().map(|path| format!("file {} is left", path.display())),
        );
        Ok(left)
    }
}

/// Whether a process of ours has this pid.
fn ours(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("badlambda"))
}

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Every process with its parent.
fn parents() -> Vec<(i32, i32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return vec![] };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        Some((pid, parent))
    })
    .collect()
}

/// Whoever asks the api. An answer that takes longer is none.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()
}

pub fn signal(process: &Child, signal: Signal) {
    let _ = kill(Pid::from_raw(process.id() as i32), signal);
}

fn program(name: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
    let log = std::env::var_os("BADLAMBDA_LOG").unwrap_or("error".into());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("BADLAMBDA_LOG", log).stdin(Stdio::null());
    Ok(command)
}

fn start_api(addresses: &Value) -> anyhow::Result<Child> {
    let mut command = program("badlambda-api")?;
    addresses::tell(&mut command, addresses);
    let listen = text(addresses, "api").trim_start_matches("http://");
    command.env("BADLAMBDA_LISTEN", listen).spawn().context("could not start the api")
}

fn start_worker(addresses: &Value, scratch: &TempDir) -> anyhow::Result<Child> {
    let mut command = program("badlambda-worker")?;
    addresses::tell(&mut command, addresses);
    command
        .env("BADLAMBDA_LISTEN", "127.0.0.1:0")
        .env("BADLAMBDA_SCRATCH_DIR", scratch.path())
        .env("BADLAMBDA_SLOTS", "4")
        .env("BADLAMBDA_VISIBILITY_SECONDS", "10")
        .env("BADLAMBDA_DRAIN_SECONDS", "2")
        .env("BADLAMBDA_MAX_ATTEMPTS", "9");
    command.spawn().context("could not start a worker")
}
