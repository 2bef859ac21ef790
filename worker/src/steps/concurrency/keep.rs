//! Keeping this worker's shares: they are asked for, renewed and given back by one task for each function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_shared::aws::retry::Delays;
use badlambda_shared::aws::store::{Store, StoreError, Written};
use badlambda_shared::function::concurrency::{ShareRequest, Shares as Stored};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::timestamp::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::share::{FunctionShare, Waiting};
use super::state::Step;

/// How often a write that another worker's came before is tried again at once.
const TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// This worker's shares of all functions that have reserved concurrency.
#[derive(Clone, Debug)]
pub(crate) struct Shares(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// This worker's name.
    worker: String,
    slots: u32,
    functions: Mutex<HashMap<FunctionName, Arc<FunctionShare>>>,
    keepers: TaskTracker,
    /// Everything is given back.
    ended: CancellationToken,
}

/// What keeps the share of one function.
struct Keeper {
    shares: Shares,
    function: FunctionName,
    share: Arc<FunctionShare>,
    /// What was last stored, as far as this worker knows, and its ETag, where no other worker has a share.
    seen: Option<(Stored, String)>,
}

impl Shares {
    /// None yet, of a worker with so many slots. Once `ended` is cancelled, all are given back.
    pub(crate) fn new(store: Store, slots: usize, ended: CancellationToken) -> Self {
        let worker = format!("{:016x}", rand::random::<u64>());
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        let (functions, keepers) = (Mutex::default(), TaskTracker::new());
        Self(Arc::new(Inner { store, worker, slots, functions, keepers, ended }))
    }

    /// Waits until all are given back.
    pub(crate) async fn given_back(&self) {
        self.0.keepers.close();
        self.0.keepers.wait().await;
    }

    /// How many executions may run here.
    pub(super) fn slots(&self) -> u32 {
        self.0.slots
    }

    /// Notes that so many executions of the function would run, of which there may be so many in the fleet.
    pub(super) fn wait(&self, function: &FunctionName, executions: u32, cap: u32) -> Waiting {
        let mut functions = self.functions();
        let share = functions.entry(function.clone()).or_insert_with(|| {
            let share = Arc::new(FunctionShare::new(Instant::now()));
            let keeper = Keeper {
                shares: self.clone(),
                function: function.clone(),
                share: Arc::clone(&share),
                seen: None,
            };
            self.0.keepers.spawn(keeper.keep());
            share
        });
        share.wait(executions, cap)
    }

    /// Forgets the share of a function that nothing runs or waits of.
    fn forget(&self, function: &FunctionName) -> bool {
        let mut functions = self.functions();
        let is_idle = functions.get(function).is_none_or(|share| self.next_step(share) == Step::Forget);
        if is_idle {
            functions.remove(function);
        }
        is_idle
    }

    fn next_step(&self, share: &FunctionShare) -> Step {
        share.state().next_step(Instant::now(), self.0.slots)
    }

    fn functions(&self) -> MutexGuard<'_, HashMap<FunctionName, Arc<FunctionShare>>> {
        self.0.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    async fn keep(mut self) {
        let ended = self.shares.0.ended.clone();
        loop {
            match self.shares.next_step(&self.share) {
                Step::Forget if self.shares.forget(&self.function) => return,
                Step::Forget => {}
                Step::Ask(wanted) => self.ask(wanted).await,
                Step::Wait(until) => {
                    let due = async {
                        match until {
                            Some(until) => tokio::time::sleep_until(until).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = ended.cancelled() => return self.ask(0).await,
                        () = self.share.changed.notified() => {}
                        () = due => {}
                    }
                }
            }
        }
    }

    /// Asks for room for so many executions. Where S3 fails, it is asked again later.
    async fn ask(&mut self, wanted: u32) {
        let running = self.share.state().begin_to_ask(wanted, Instant::now());
        self.ask_until_answered(wanted, running).await;
        self.share.state().end_to_ask();
    }

    async fn ask_until_answered(&mut self, wanted: u32, running: u32) {
        let mut pauses = Delays::between(FIRST_PAUSE, LONGEST_PAUSE);
        for _ in 0..TRIES {
            match self.try_ask(wanted, running).await {
                Ok(true) => return,
                Ok(false) => tokio::time::sleep(pauses.next_delay()).await,
                Err(error) => {
                    tracing::warn!(%error, function = %self.function, "could not write a share of reserved concurrency");
                    return;
                }
            }
        }
    }

    /// Asks once; `false` where another worker's write came before.
    async fn try_ask(&mut self, wanted: u32, running: u32) -> Result<bool, StoreError> {
        let Inner { store, worker, .. } = &*self.shares.0;
        let (stored, etag) = match self.seen.take() {
            Some((stored, etag)) => (stored, Some(etag)),
            None => Stored::read(store, &self.function).await?,
        };
        let (began_at, now) = (Instant::now(), Timestamp::now());
        let (cap, run_ms) = self.share.state().learn(stored.run_ms);
        let mut changed = Stored { run_ms, ..stored.clone() };
        let granted = changed.grant(ShareRequest { worker, wanted, running, cap }, now);
        if granted > 0 || stored.shares.contains_key(worker) {
            let written = changed.write(store, &self.function, etag.as_deref()).await?;
            let Written::Stored(etag) = written else { return Ok(false) };
            // Alone, it need not be read before the next write.
            self.seen = changed.is_alone(worker).then_some((changed, etag));
        }
        self.share.note_granted(granted, began_at);
        Ok(true)
    }
}
