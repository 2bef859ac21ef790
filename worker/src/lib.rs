//! The fleet's worker. A tour, in the order of an execution's path:
//!
//! - `receive` takes permits of the `room` there is, receives at most that many messages, and starts a task for each.
//! - `execute` sees one message through. `turn` tells which attempt this is, `prepare` fetches what is run, `running`
//!   watches over it, and `refuse` deals with what can't be run.
//! - [`sandbox`] runs the Ruby code, confined, and knows nothing of the rest.
//! - `publish` stores result and logs, then the final record, of which the first wins. `patience` waits for a queue or
//!   a bucket that fails.
//! - `acknowledge` deletes the message then, or gives it back, in batches; `held` keeps it from others till then.
//!   `account` logs what came of it.
//!
//! [`run`] is the whole life of a worker, from its start to the end of its drain; `admin` tells how it fares,
//! `protection` asks ECS to spare it, and [`doctor`] tells whether a machine is one that executions can be confined on.

#![forbid(unsafe_code)]

mod account;
mod acknowledge;
mod admin;
pub mod config;
pub mod doctor;
mod execute;
mod held;
mod patience;
mod prepare;
mod protection;
mod publish;
mod receive;
mod refuse;
mod room;
mod running;
pub mod sandbox;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::catalog::Catalog;
use badlambda_shared::dead_letters::DeadLetters;
use badlambda_shared::limits;
use badlambda_shared::queue::Queue;
use badlambda_shared::records::Records;
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::store::Store;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acknowledge::Acknowledgement;
use crate::admin::Pulse;
use crate::config::{Config, SandboxConfig};
use crate::held::Held;
use crate::protection::Protection;
use crate::room::Room;
use crate::sandbox::{Executor, IsolationMode, Outcome};

/// Results and logs, in MiB, that may wait for the bucket for each slot. An execution takes one at least.
const PUBLISHING_PER_SLOT: usize = 8;
/// What one execution may leave at most, in MiB: the largest result and logs that a config may allow.
const MOST_LEFT: usize = 48;
/// How long executions that are given up may take to end.
const ABANDON_PATIENCE: Duration = Duration::from_secs(5);
/// How long the last acknowledgements may take. What is not given back in time comes back by itself.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(10);
/// How long everything may take to end where it is to end at once.
const HARD_PATIENCE: Duration = Duration::from_millis(500);

/// What every task of a worker shares.
pub(crate) struct Worker {
    config: Config,
    queue: Queue,
    /// After how many receives SQS dead-letters a message itself.
    max_receives: Option<u32>,
    dead_letters: DeadLetters,
    store: Store,
    records: Records,
    catalog: Catalog,
    executor: Arc<Executor>,
    room: Room,
    slots: Arc<Semaphore>,
    /// Taken while results are stored, of which several fit beside each that runs.
    publishing: Semaphore,
    held: Held,
    protection: Protection,
    acknowledgements: mpsc::Sender<(String, Acknowledgement)>,
    /// Nothing more is begun.
    stop: CancellationToken,
    /// Everything that runs is handed back.
    abandon: CancellationToken,
}

impl Worker {
    async fn acknowledge(&self, receipt_handle: String, acknowledgement: Acknowledgement) {
        if self.acknowledgements.send((receipt_handle, acknowledgement)).await.is_err() {
            tracing::error!("an acknowledgement came after the end");
        }
    }

    /// Waits until this outcome may wait for the bucket.
    async fn publishing_permit(&self, outcome: &Outcome) -> Option<SemaphorePermit<'_>> {
        let result = outcome.result.as_ref().map_or(0, String::len);
        let mib = ((result + outcome.logs.len()) >> 20).clamp(1, MOST_LEFT);
        self.publishing.acquire_many(mib as u32).await.ok()
    }
}

/// Runs a worker until it is told to stop and has drained.
///
/// # Errors
/// When it can't start: executions can't be confined as asked, or the queue would give messages up too early.
pub async fn run(
    config: Config,
    aws: AwsClients,
    admin: Option<TcpListener>,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    tracing::info!(?config, "starting a worker");
    let executor = start_executor(&config.sandbox).await?;
    let (acknowledgements, waiting) = mpsc::channel(config.slots * 2);
    let worker = Arc::new(assemble(config, &aws, executor, acknowledgements, &shutdown).await?);
    let (pulse, ended) = (Pulse::default(), CancellationToken::new());
    let queue = worker.queue.clone();
    let acknowledging = tokio::spawn(async move { acknowledge::acknowledge(&queue, waiting).await });
    let heart = tokio::spawn({
        let (worker, ended) = (Arc::clone(&worker), ended.clone());
        async move { held::heartbeat(&worker.held, &worker.queue, worker.config.visibility, &ended).await }
    });
    if let Some(agent_uri) = worker.config.ecs_agent_uri.clone() {
        tokio::spawn(worker.protection.clone().keep(agent_uri, ended.clone()));
    }
    if let Some(listener) = admin {
        tracing::info!(address = %listener.local_addr()?, "the admin port listens");
        // Whoever asks whether it lives must not keep it.
        let weak = Arc::downgrade(&worker);
        tokio::spawn(admin::serve(listener, pulse.clone(), weak, shutdown.soft.clone(), ended.clone()));
    }

    let tasks = TaskTracker::new();
    tokio::select! {
        () = receive::receive(&worker, &tasks, &pulse) => {}
        () = shutdown.hard.cancelled() => {}
    }
    drain(&worker, &tasks, &shutdown).await;

    ended.cancel();
    drop(worker);
    finish(heart, acknowledging, &shutdown).await;
    tracing::info!("the worker has drained");
    Ok(())
}

async fn assemble(
    config: Config,
    aws: &AwsClients,
    executor: Executor,
    acknowledgements: mpsc::Sender<(String, Acknowledgement)>,
    shutdown: &Shutdown,
) -> anyhow::Result<Worker> {
    let queue = Queue::new(aws, &config.shared);
    let store = Store::new(aws, &config.shared);
    Ok(Worker {
        max_receives: max_receives(&queue, config.max_attempts).await?,
        dead_letters: DeadLetters::new(&queue, &store),
        queue,
        records: Records::new(store.clone()),
        catalog: Catalog::new(store.clone(), config.shared.max_code_bytes),
        store,
        executor: Arc::new(executor),
        room: Room::new(config.slots),
        slots: Arc::new(Semaphore::new(config.slots)),
        publishing: Semaphore::new((config.slots * PUBLISHING_PER_SLOT).max(MOST_LEFT)),
        held: Held::default(),
        protection: Protection::new(config.drain),
        acknowledgements,
        stop: shutdown.soft.clone(),
        abandon: CancellationToken::new(),
        config,
    })
}

/// Asks after how many receives SQS gives a message up.
async fn max_receives(queue: &Queue, max_attempts: u32) -> anyhow::Result<Option<u32>> {
    let most = match queue.limits().await {
        Ok(limits) => limits.max_receives,
        Err(error) => {
            let assumed = limits::USUAL_MAX_RECEIVES;
            tracing::warn!(%error, assumed, "could not read the queue's maxReceiveCount");
            Some(assumed)
        }
    };
    anyhow::ensure!(
        most.is_none_or(|most| most > max_attempts),
        "the queue's maxReceiveCount, {}, must be greater than BADLAMBDA_MAX_ATTEMPTS, {max_attempts}: else SQS gives \
         messages up before a worker can say why; set it to {} in the queue's redrive policy",
        most.unwrap_or_default(),
        limits::USUAL_MAX_RECEIVES,
    );
    Ok(most)
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
    worker.abandon.cancel();
    let _ = at_last(tasks.wait(), ABANDON_PATIENCE, shutdown).await;
}

/// Sees the last acknowledgements through.
async fn finish(heart: JoinHandle<()>, acknowledging: JoinHandle<()>, shutdown: &Shutdown) {
    let _ = heart.await;
    if at_last(acknowledging, LAST_ACKNOWLEDGEMENTS, shutdown).await.is_none() {
        tracing::warn!("not everything could be acknowledged in time, and comes back by itself");
    }
}

/// Waits for `done`, for at most `patience`; where everything is to end at once, hardly.
async fn at_last<T>(done: impl Future<Output = T>, patience: Duration, shutdown: &Shutdown) -> Option<T> {
    let hard = async {
        shutdown.hard.cancelled().await;
        tokio::time::sleep(HARD_PATIENCE).await;
    };
    tokio::select! {
        done = done => Some(done),
        () = tokio::time::sleep(patience) => None,
        () = hard => None,
    }
}
