//! The fleet's worker. A tour, in the order of an execution's path:
//!
//! - `receive` takes permits of its `prefetch`, receives at most that many messages, and makes each a `delivery`, whose
//!   lease is renewed by `leases`.
//! - `steps` is the way of a delivery, and has a file for each step. `event_source` finds the function of a message that
//!   names none. `claim` tells whether it is to be run at all, `concurrency` whether it may be run now, `prepare` fetches
//!   what is run, `run` runs it, `publish` stores what came of it, and `notify` tells the function's destinations.
//! - [`sandbox`] runs the Ruby code, confined, and knows nothing of the rest.
//! - `map` runs chunks of maps, in `slots` that no execution waits for.
//! - `settle` is the one end of a delivery: it deletes the message, gives it back, or dead-letters it. Before a message
//!   is deleted, its execution is listed by `index`. Its `acknowledge` tells SQS, in batches.
//!
//! [`run`] is the whole life of a worker, from its start to the end of its drain; `admin` tells how it fares, [`metrics`]
//! names what is counted, `ecs` asks ECS to spare its task, and [`doctor`] tells whether a machine is one that executions
//! can be confined on.

#![forbid(unsafe_code)]

mod admin;
pub mod config;
pub mod doctor;
mod ecs;
mod index;
mod map;
pub mod metrics;
mod receive;
pub mod sandbox;
mod settle;
mod slots;
mod steps;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::aws::queue::{Queue, QueueLimits, SendBatcher};
use badlambda_shared::aws::store::Store;
use badlambda_shared::dead_letters::DeadLetters;
use badlambda_shared::execution::records::Records;
use badlambda_shared::function::catalog::Catalog;
use badlambda_shared::function::event_sources::EventSourceCache;
use badlambda_shared::limits;
use badlambda_shared::process::metrics::keep_up;
use badlambda_shared::process::shutdown::Shutdown;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{Health, LoopHealth};
use crate::config::{Config, SandboxConfig};
use crate::ecs::TaskProtection;
use crate::index::{IndexWriter, Running, compact_hours, renew_running, write_segments};
use crate::map::{Cancellations, ChunkSteps, Intake, ItemRunner};
use crate::receive::Receiver;
use crate::receive::leases::{Leases, renew_leases};
use crate::receive::prefetch::Prefetch;
use crate::sandbox::{Executor, IsolationMode};
use crate::settle::Settler;
use crate::settle::acknowledge::Acknowledgement;
use crate::slots::Slots;
use crate::steps::Steps;
use crate::steps::claim::{AttemptLimits, Claimer};
use crate::steps::concurrency::{Admission, Shares};
use crate::steps::event_source::EventSource;
use crate::steps::notify::Notifier;
use crate::steps::packages::Packages;
use crate::steps::prepare::Preparer;
use crate::steps::publish::Publisher;
use crate::steps::run::Runner;
use crate::steps::watch_record::RecordWatch;

/// How long executions that are broken off may take to end.
const ABANDON_PATIENCE: Duration = Duration::from_secs(5);
/// How long the last acknowledgements may take. What is not given back in time comes back by itself.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(10);
/// How long everything may take to end where it is to end at once.
const HARD_PATIENCE: Duration = Duration::from_millis(500);

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
    metrics::start_counting();
    let _slots = metrics::SLOTS.count(u32::try_from(config.slots).unwrap_or(u32::MAX));
    let executor = Arc::new(start_executor(&config.sandbox).await?);
    let queue = Queue::new(&aws, &config.shared);
    let store = Store::new(&aws, &config.shared);
    let limits = attempt_limits(&queue, config.max_attempts).await?;
    let (leases, prefetch) = (Leases::default(), Prefetch::new(config.slots));
    let (receiving, protection) = (LoopHealth::default(), TaskProtection::new(config.drain));
    // Everything that runs is broken off; everything is over.
    let (abandon, ended) = (CancellationToken::new(), CancellationToken::new());

    let (acknowledgements, waiting) = mpsc::channel(config.slots * 2);
    let acknowledging = tokio::spawn(settle::acknowledge::acknowledge(queue.clone(), waiting));
    tokio::spawn(renew_leases(leases.clone(), queue.clone(), config.visibility, ended.clone()));
    let (index, lines) = IndexWriter::new(abandon.clone());
    let running = Running::default();
    tokio::spawn(write_segments(store.clone(), lines, shutdown.soft.clone(), abandon.clone()));
    let renewing =
        tokio::spawn(renew_running(store.clone(), running.clone(), config.visibility, ended.clone()));
    tokio::spawn(compact_hours(store.clone(), ended.clone()));
    tokio::spawn(keep_up(ended.clone()));
    if let Some(agent_uri) = config.ecs_agent_uri.clone() {
        tokio::spawn(protection.clone().keep(agent_uri, ended.clone()));
    }
    if let Some(listener) = admin {
        tracing::info!(address = %listener.local_addr()?, "the admin port listens");
        let (receiving, leases, store) = (receiving.clone(), leases.clone(), store.clone());
        let health = Health { receiving, leases, store, executor: Arc::downgrade(&executor) };
        tokio::spawn(admin::serve(listener, health, shutdown.soft.clone(), ended.clone()));
    }

    let tasks = TaskTracker::new();
    let shares = Shares::new(store.clone(), config.slots, ended.clone());
    let services = Services {
        executor,
        queue: queue.clone(),
        store,
        limits,
        protection,
        index,
        running,
        shares: shares.clone(),
    };
    let receiver = Receiver {
        steps: Arc::new(services.steps(&config, &prefetch, acknowledgements, &shutdown.soft, &abandon)),
        queue,
        visibility: config.visibility,
        default_function: config.default_function.clone(),
        prefetch,
        leases,
        health: receiving,
        last_execution: Mutex::default(),
        stop: shutdown.soft.clone(),
        tasks: tasks.clone(),
    };
    tokio::select! {
        () = Arc::new(receiver).receive() => {}
        () = shutdown.hard.cancelled() => {}
    }
    drain(&tasks, config.drain, &abandon, &shutdown).await;
    // What tells SQS ends once nothing is left that could tell it something.
    if at_last(acknowledging, LAST_ACKNOWLEDGEMENTS, &shutdown).await.is_none() {
        tracing::warn!("not everything could be acknowledged in time, and comes back by itself");
    }
    ended.cancel();
    let _ = at_last(async { tokio::join!(renewing, shares.given_back()) }, LAST_ACKNOWLEDGEMENTS, &shutdown)
        .await;
    tracing::info!("the worker has drained");
    Ok(())
}

/// What the steps of a delivery are made of.
struct Services {
    executor: Arc<Executor>,
    queue: Queue,
    store: Store,
    limits: AttemptLimits,
    protection: TaskProtection,
    index: IndexWriter,
    running: Running,
    shares: Shares,
}

impl Services {
    fn steps(
        self,
        config: &Config,
        prefetch: &Prefetch,
        acknowledgements: mpsc::Sender<Acknowledgement>,
        stop: &CancellationToken,
        abandon: &CancellationToken,
    ) -> Steps {
        let Self { executor, queue, store, limits, protection, index, running, shares } = self;
        let records = Records::new(store.clone());
        let catalog = Catalog::new(store.clone(), config.shared.max_code_bytes);
        let admission =
            Admission { catalog: catalog.clone(), store: store.clone(), shares, stop: stop.clone() };
        let preparer = Preparer {
            catalog: catalog.clone(),
            packages: Packages::new(Arc::clone(&executor), config.sandbox.packages_bytes),
            store: store.clone(),
            allow_network: config.sandbox.executor.network,
            max_input_bytes: config.shared.max_input_bytes,
            stop: stop.clone(),
        };
        let slots = Slots::new(config.slots);
        let items = ItemRunner {
            executor: Arc::clone(&executor),
            slots: slots.clone(),
            cancellations: Cancellations::new(store.clone()),
            max_attempts: limits.max_attempts,
            stop: stop.clone(),
            abandon: abandon.clone(),
        };
        let event_source = EventSource {
            mappings: EventSourceCache::new(store.clone()),
            default_function: config.default_function.clone(),
            stop: stop.clone(),
        };
        Steps {
            event_source,
            claimer: Claimer { records: records.clone(), limits, stop: stop.clone() },
            admission: admission.clone(),
            preparer: preparer.clone(),
            runner: Runner {
                executor,
                slots,
                prefetch: prefetch.clone(),
                record_watch: RecordWatch { records: records.clone(), running },
                protection: protection.clone(),
                stop: stop.clone(),
                abandon: abandon.clone(),
            },
            publisher: Publisher::new(store.clone(), records.clone(), config.slots, abandon.clone()),
            notifier: Notifier {
                queue: queue.clone(),
                store: store.clone(),
                catalog,
                account: config.sandbox.executor.account.clone(),
                stop: stop.clone(),
            },
            settler: Settler {
                copies: SendBatcher::start(queue.clone()),
                dead_letters: DeadLetters::new(&queue, &store),
                records,
                index,
                acknowledgements,
                stop: stop.clone(),
            },
            chunks: ChunkSteps {
                intake: Intake::new(stop.clone()),
                admission,
                preparer,
                runner: items,
                limits,
                protection,
                stop: stop.clone(),
            },
            prefetch: prefetch.clone(),
        }
    }
}

/// Reads from the queue where executions are given up.
async fn attempt_limits(queue: &Queue, max_attempts: u32) -> anyhow::Result<AttemptLimits> {
    let QueueLimits { max_receives, retention } = queue.limits().await.unwrap_or_else(|error| {
        let assumed = QueueLimits::USUAL;
        tracing::warn!(%error, ?assumed, "could not read the queue's settings");
        assumed
    });
    anyhow::ensure!(
        max_receives.is_none_or(|most| most > max_attempts),
        "the queue's maxReceiveCount, {}, must be greater than BADLAMBDA_MAX_ATTEMPTS, {max_attempts}: else SQS gives \
         messages up before a worker can say why; set it to {} in the queue's redrive policy",
        max_receives.unwrap_or_default(),
        limits::USUAL_MAX_RECEIVES,
    );
    Ok(AttemptLimits { max_attempts, retention })
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

/// Lets what runs end within the grace period, then breaks the rest off.
async fn drain(tasks: &TaskTracker, grace: Duration, abandon: &CancellationToken, shutdown: &Shutdown) {
    tasks.close();
    tracing::info!(executions = tasks.len(), "draining");
    tokio::select! {
        () = tasks.wait() => return,
        () = tokio::time::sleep(grace) => {}
        () = shutdown.hard.cancelled() => {}
    }
    tracing::info!(executions = tasks.len(), "handing back what still runs");
    abandon.cancel();
    let _ = at_last(tasks.wait(), ABANDON_PATIENCE, shutdown).await;
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
