//! The fleet's worker. A tour, in the order of an execution's path:
//!
//! - `receive` takes permits for free slots, receives at most that many messages, and starts a task for each.
//! - `execute` sees one message through: what it asks for, which version that is, where its input is.
//! - [`sandbox`] runs the Ruby code, confined, and knows nothing of the rest.
//! - `publish` stores result and logs, then the final record, of which the first wins.
//! - `acknowledge` deletes the message then, or gives it back, in batches; `held` keeps it from others till then.
//!
//! [`run`] is the whole life of a worker, from its start to the end of its drain; `admin` tells how it fares, and
//! [`doctor`] whether a machine is one that executions can be confined on.

#![forbid(unsafe_code)]

mod acknowledge;
mod admin;
pub mod config;
pub mod doctor;
mod execute;
mod held;
mod publish;
mod receive;
pub mod sandbox;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::catalog::Catalog;
use badlambda_shared::queue::Queue;
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::store::Store;
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acknowledge::Acknowledgement;
use crate::admin::Pulse;
use crate::config::{Config, SandboxConfig};
use crate::held::Held;
use crate::sandbox::{Executor, IsolationMode};

/// Storing a result takes a few times as long as a short execution.
const PUBLISHING_PER_SLOT: usize = 8;
/// How long executions that are given up may take to end.
const ABANDON_PATIENCE: Duration = Duration::from_secs(5);

/// What every task of a worker shares.
pub(crate) struct Worker {
    config: Config,
    queue: Queue,
    store: Store,
    catalog: Catalog,
    executor: Arc<Executor>,
    /// Taken while results are stored, of which several fit beside each that runs.
    publishing: Semaphore,
    held: Held,
    acknowledgements: mpsc::Sender<(String, Acknowledgement)>,
    /// Readable once everything that runs is to be handed back.
    abandon: Arc<OwnedFd>,
}

impl Worker {
    async fn acknowledge(&self, receipt_handle: String, acknowledgement: Acknowledgement) {
        if self.acknowledgements.send((receipt_handle, acknowledgement)).await.is_err() {
            tracing::error!("an acknowledgement came after the end");
        }
    }
}

/// Runs a worker until it is told to stop and has drained.
///
/// # Errors
/// When it can't start: executions can't be confined as asked.
pub async fn run(
    config: Config,
    aws: AwsClients,
    admin: Option<TcpListener>,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    tracing::info!(?config, "starting a worker");
    let executor = start_executor(&config.sandbox).await?;
    let abandon = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let signal_abandon: OwnedFd = abandon.into();
    let queue = Queue::new(&aws, &config.shared);
    let store = Store::new(&aws, &config.shared);
    let (acknowledgements, waiting) = mpsc::channel(config.slots * 2);
    let worker = Arc::new(Worker {
        catalog: Catalog::new(store.clone(), config.shared.max_code_bytes),
        queue: queue.clone(),
        store,
        executor: Arc::new(executor),
        publishing: Semaphore::new(config.slots * PUBLISHING_PER_SLOT),
        held: Held::default(),
        acknowledgements,
        abandon: Arc::new(signal_abandon),
        config,
    });
    let (pulse, ended) = (Pulse::default(), CancellationToken::new());
    let acknowledging = tokio::spawn(async move { acknowledge::acknowledge(&queue, waiting).await });
    let heart = tokio::spawn({
        let (worker, ended) = (Arc::clone(&worker), ended.clone());
        async move { held::heartbeat(&worker.held, &worker.queue, worker.config.visibility, &ended).await }
    });
    if let Some(listener) = admin {
        tracing::info!(address = %listener.local_addr()?, "the admin port listens");
        tokio::spawn(admin::serve(listener, pulse.clone(), shutdown.soft.clone(), ended.clone()));
    }

    let permits = Arc::new(Semaphore::new(worker.config.slots));
    let tasks = TaskTracker::new();
    receive::receive(&worker, &permits, &tasks, &pulse, &shutdown.soft).await;
    drain(&worker, &tasks, &shutdown).await;

    ended.cancel();
    let _ = heart.await;
    drop(worker);
    let _ = acknowledging.await;
    tracing::info!("the worker has drained");
    Ok(())
}

async fn start_executor(config: &SandboxConfig) -> anyhow::Result<Executor> {
    let settings = config.executor.clone();
    if settings.isolation != IsolationMode::Required {
        tracing::warn!(isolation = ?settings.isolation, "executions are not isolated as they should be in production");
    }
    let least = config.min_tier;
    let started = tokio::task::spawn_blocking(move || {
        let executor = Executor::start(&settings)?;
        // First what is missing, which has a remedy, then what is there and does not hold.
        let tier = executor.isolation().tier;
        anyhow::ensure!(
            tier >= least,
            "isolation is of tier {tier}, below BADLAMBDA_MIN_TIER={least}: \
             `badlambda-worker doctor` tells what is missing, and what to do about it"
        );
        executor.self_test()?;
        anyhow::Ok(executor)
    });
    let executor = started.await?.context("the executor can't start")?;
    for layer in executor.absent_layers() {
        tracing::warn!(layer = layer.name, "{}", layer.without);
    }
    Ok(executor)
}

/// Lets what runs end within the grace period, then hands the rest back.
async fn drain(worker: &Worker, tasks: &TaskTracker, shutdown: &Shutdown) {
    tasks.close();
    tracing::info!(executions = tasks.len(), "draining");
    tokio::select! {
        () = tasks.wait() => return,
        () = tokio::time::sleep(worker.config.drain) => {}
        () = shutdown.hard.cancelled() => {}
    }
    tracing::info!(executions = tasks.len(), "handing back what still runs");
    if let Err(error) = nix::unistd::write(&worker.abandon, &1u64.to_ne_bytes()) {
        tracing::error!(%error, "could not end what runs");
    }
    let _ = tokio::time::timeout(ABANDON_PATIENCE, tasks.wait()).await;
}
