//! Whether a message of a function with reserved concurrency may be run now, and what becomes of it where not.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::aws::store::Store;
use badlambda_shared::execution::enqueue::store_large_input;
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::execution::message::ExecutionRequest;
use badlambda_shared::function::catalog::{Catalog, CatalogError};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::map::ChunkRequest;
use tokio_util::sync::CancellationToken;

use super::keep::Shares;
use super::share::{Permit, Waiting};
use super::state::PATIENCE;
use crate::receive::prefetch::PrefetchPermit;
use crate::steps::retry::{
    RetryError, STORE_DELAY, STORE_PATIENCE, delay_unless_stopped, retry_until, stopped_or_after,
};

/// What the step needs.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    pub(crate) catalog: Catalog,
    pub(crate) store: Store,
    pub(crate) shares: Shares,
    pub(crate) stop: CancellationToken,
}

/// No attempt begins now. The message comes back after this time.
#[derive(Debug)]
pub(crate) struct NotAdmitted {
    pub(crate) after: Duration,
    pub(crate) because: GivenBack,
}

/// What a chunk of a map takes the permits of its items from.
#[derive(Debug)]
pub(crate) struct ChunkPermits {
    waiting: Waiting,
    /// For the next item.
    next: Option<Permit>,
}

impl Admission {
    /// Waits for the permit to run the execution, where its function has reserved concurrency. Meanwhile the worker may hold
    /// another message in place of this one, so that it holds up no other function.
    pub(crate) async fn admit(
        &self,
        request: &mut ExecutionRequest,
        prefetched: &mut Option<PrefetchPermit>,
    ) -> Result<Option<Permit>, NotAdmitted> {
        let Some(cap) = self.cap(&request.function).await? else { return Ok(None) };
        let waiting = self.shares.wait(&request.function, 1, cap);
        if let Some(permit) = waiting.acquire_now() {
            return Ok(Some(permit));
        }
        let paused = prefetched.take().map(PrefetchPermit::pause);
        let permit = self.wait(&waiting).await;
        *prefetched = paused.map(|paused| paused.resume());
        if permit.is_some() {
            return Ok(permit);
        }
        // Its copy may go round for a while.
        if let Err(error) = store_large_input(&self.store, request).await {
            tracing::warn!(%error, "could not store the input of a message that is given back");
        }
        Err(self.not_admitted(&waiting))
    }

    /// The same for a chunk of a map.
    pub(crate) async fn admit_chunk(
        &self,
        chunk: &ChunkRequest,
    ) -> Result<Option<ChunkPermits>, NotAdmitted> {
        let Some(cap) = self.cap(&chunk.function).await? else { return Ok(None) };
        let at_once = chunk.items.min(self.shares.slots());
        let waiting = self.shares.wait(&chunk.function, at_once, cap);
        match self.wait(&waiting).await {
            Some(permit) => Ok(Some(ChunkPermits { waiting, next: Some(permit) })),
            None => Err(self.not_admitted(&waiting)),
        }
    }

    async fn wait(&self, waiting: &Waiting) -> Option<Permit> {
        if !waiting.is_worthwhile() {
            return None;
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            permit = waiting.acquire() => Some(permit),
            () = tokio::time::sleep(PATIENCE) => None,
        }
    }

    fn not_admitted(&self, waiting: &Waiting) -> NotAdmitted {
        if self.stop.is_cancelled() {
            return NotAdmitted { after: Duration::ZERO, because: GivenBack::NotStarted };
        }
        at_cap(waiting)
    }

    /// How many executions of the function there may be at once, if that is limited. One that there is not has no limit:
    /// what becomes of its messages is found out later.
    async fn cap(&self, function: &FunctionName) -> Result<Option<u32>, NotAdmitted> {
        if function.is_one_shot() {
            return Ok(None);
        }
        let read = || self.catalog.cap(function);
        let may_pass = |error: &CatalogError| matches!(error, CatalogError::Store(error) if error.may_pass());
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        match retry_until("read a function's reserved concurrency", give_up, may_pass, read).await {
            Ok(cap) => Ok(cap),
            Err(RetryError::Permanent(_)) => Ok(None),
            Err(RetryError::GaveUp) => {
                let after = delay_unless_stopped(&self.stop, STORE_DELAY);
                Err(NotAdmitted { after, because: GivenBack::NotStarted })
            }
        }
    }
}

impl ChunkPermits {
    /// Waits until the next item may be run. It then has a permit, which stays until it is taken.
    pub(crate) async fn fill(&mut self) {
        self.waiting.resume();
        if self.next.is_none() {
            self.next = Some(self.waiting.acquire().await);
        }
    }

    /// Leaves its permits to others while nothing is to be run.
    pub(crate) fn rest(&mut self) {
        self.next = None;
        self.waiting.rest();
    }

    /// The permit to run the next item, if it has one.
    pub(crate) fn take(&mut self) -> Option<Permit> {
        self.next.take()
    }

    /// Ready once what runs by its permits must end.
    pub(crate) fn lapsed(&self) -> impl Future<Output = ()> + use<> {
        let share = Arc::clone(self.waiting.share());
        async move { share.lapsed().await }
    }

    /// What becomes of the chunk's message where the reserved concurrency is used up before its end.
    pub(crate) fn not_admitted(&self) -> NotAdmitted {
        at_cap(&self.waiting)
    }
}

/// What becomes of a message that got no permit.
fn at_cap(waiting: &Waiting) -> NotAdmitted {
    NotAdmitted { after: waiting.delay(), because: GivenBack::AtCap }
}
