//! An attempt, from its slot to its outcome. It ends early where the worker's time is up, or the execution is final
//! already (see `watch_record`).

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::catalog::Runnable;
use badlambda_shared::process::metrics::function_label;
use badlambda_shared::process::telemetry;
use badlambda_shared::timestamp::Timestamp;
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span};

use crate::ecs::TaskProtection;
use crate::metrics::RUN;
use crate::receive::prefetch::{Prefetch, PrefetchPermit};
use crate::sandbox::{Executor, ExecutorError, Outcome, Progress, Task};
use crate::settle::Settlement;
use crate::slots::{Slot, Slots};
use crate::steps::claim::Claim;
use crate::steps::concurrency::Permit;
use crate::steps::prepare::{Prepared, Program};
use crate::steps::retry_delay::{growing_delay, retry_delay};
use crate::steps::watch_record::RecordWatch;

/// How long a prefetched message waits for a slot, before another worker had better have it.
const SLOT_PATIENCE: Duration = Duration::from_secs(1);

/// What the step needs.
pub(crate) struct Runner {
    pub(crate) executor: Arc<Executor>,
    pub(crate) slots: Slots,
    pub(crate) prefetch: Prefetch,
    pub(crate) record_watch: RecordWatch,
    pub(crate) protection: TaskProtection,
    /// Nothing more is begun.
    pub(crate) stop: CancellationToken,
    /// Everything that runs is broken off.
    pub(crate) abandon: CancellationToken,
}

/// An attempt that has ended with what is to be published.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) runnable: Arc<Runnable>,
    pub(crate) outcome: Box<Outcome>,
    /// Kept until the outcome may wait for S3: where that stalls, no more is begun.
    pub(crate) slot: Slot,
}

/// How an attempt ended.
#[derive(Debug)]
enum Ended {
    /// With an outcome, which may be a failure of the function's.
    Outcome(Box<Outcome>),
    /// The execution has this final record, from elsewhere.
    Overtaken(Box<Record>),
    /// The worker's time is up, or that of its share of the function's reserved concurrency.
    Abandoned,
    /// Our side failed.
    Lost(ExecutorError),
}

impl Runner {
    /// Runs the attempt, unless no slot is free in time. Where the function has reserved concurrency, `admitted` is the permit
    /// to run it.
    pub(crate) async fn run(
        &self,
        claim: &mut Claim<'_>,
        prepared: Prepared,
        permit: &mut Option<PrefetchPermit>,
        mut admitted: Option<Permit>,
    ) -> Result<Finished, Settlement> {
        let slot = self.slot().instrument(debug_span!("wait_for_slot")).await?;
        if let Some(permit) = permit {
            permit.note_slot();
        }
        let runnable = Arc::clone(&prepared.program.runnable);
        let _protected = self.protection.cover(Duration::from_millis(runnable.config.timeout_ms));
        let began_at = Instant::now();
        admitted.iter_mut().for_each(Permit::note_begin);
        let ended = self.attempt(claim, prepared, admitted.as_ref()).instrument(debug_span!("run")).await;
        drop(admitted);
        self.prefetch.note_run(began_at.elapsed());
        let outcome = match ended {
            Ended::Outcome(outcome) => outcome,
            Ended::Overtaken(record) => return Err(Settlement::Done { record, is_own: false }),
            Ended::Abandoned => {
                return Err(Settlement::Retry { after: Duration::ZERO, because: GivenBack::Stopped });
            }
            Ended::Lost(error) => {
                let because = GivenBack::Lost(error.to_string());
                return Err(Settlement::Retry { after: growing_delay(claim.history.lost), because });
            }
        };
        RUN.record([function_label(&claim.request.function)], outcome.usage.wall_ms / 1000.0);
        if outcome.result.is_err()
            && let Some(after) = retry_delay(claim.history.failed, outcome.retry, retries(claim, &runnable))
            && !is_over(claim, after)
        {
            return Err(Settlement::Retry { after, because: GivenBack::Failed });
        }
        Ok(Finished { runnable, outcome, slot })
    }

    /// A free slot, unless the worker stops, or others could run the message sooner.
    async fn slot(&self) -> Result<Slot, Settlement> {
        let slot = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            slot = self.slots.acquire() => Some(slot),
            () = tokio::time::sleep(SLOT_PATIENCE) => {
                self.prefetch.note_stall();
                None
            }
        };
        slot.ok_or(Settlement::Retry { after: Duration::ZERO, because: GivenBack::NotStarted })
    }

    /// Runs it to its end, or until its outcome is of no interest any more.
    async fn attempt(&self, claim: &mut Claim<'_>, prepared: Prepared, admitted: Option<&Permit>) -> Ended {
        let cancel = match EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK) {
            Ok(event) => Arc::new(OwnedFd::from(event)),
            Err(errno) => return Ended::Lost(errno.into()),
        };
        let began_at = Timestamp::now();
        let runnable = Arc::clone(&prepared.program.runnable);
        let progress = Arc::new(Progress::default());
        let task = task(claim, prepared, Arc::clone(&cancel), Arc::clone(&progress));
        let executor = Arc::clone(&self.executor);
        let span = tracing::Span::current();
        let mut running = tokio::task::spawn_blocking(move || span.in_scope(|| executor.execute(&task)));
        let early = tokio::select! {
            result = &mut running => return ended(result, Ended::Abandoned),
            record = self.record_watch.until_final(claim, &runnable, began_at, &progress) => Ended::Overtaken(record),
            () = self.abandon.cancelled() => Ended::Abandoned,
            () = lapsed(admitted) => Ended::Abandoned,
        };
        if let Err(errno) = nix::unistd::write(&cancel, &1u64.to_ne_bytes()) {
            tracing::error!(%errno, "could not end an attempt");
        }
        // It may have come to its end at that very moment.
        ended(running.await, early)
    }
}

/// Ready once the permit to run does not count any more.
async fn lapsed(admitted: Option<&Permit>) {
    match admitted {
        Some(permit) => permit.lapsed().await,
        None => std::future::pending().await,
    }
}

fn ended(
    result: Result<Result<Outcome, ExecutorError>, tokio::task::JoinError>,
    where_cancelled: Ended,
) -> Ended {
    match result {
        Ok(Ok(outcome)) => Ended::Outcome(Box::new(outcome)),
        Ok(Err(ExecutorError::Cancelled)) => where_cancelled,
        Ok(Err(error)) => Ended::Lost(error),
        Err(panic) => Ended::Lost(ExecutorError::System(std::io::Error::other(panic))),
    }
}

/// How often a failed attempt is tried again: as the call says, or the config.
fn retries(claim: &Claim<'_>, runnable: &Runnable) -> u64 {
    let asked = claim.request.invocation.as_ref().and_then(|invocation| invocation.retries);
    asked.unwrap_or(runnable.config.retries)
}

/// Whether it will be too late for another attempt.
fn is_over(claim: &Claim<'_>, after: Duration) -> bool {
    let then = Timestamp::now().plus(after);
    claim.request.invocation.as_ref().is_some_and(|call| call.is_over(claim.request.submitted_at, then))
}

fn task(claim: &Claim<'_>, prepared: Prepared, cancelled: Arc<OwnedFd>, progress: Arc<Progress>) -> Task {
    let Prepared { program: Program { runnable, code, layers }, input } = prepared;
    let request = &*claim.request;
    Task {
        execution_id: request.id.to_string(),
        function: request.function.to_string(),
        version: runnable.version.unwrap_or(0),
        attempt: claim.attempt(),
        revision: runnable.revision.to_string(),
        form: runnable.form,
        code,
        layers,
        config: runnable.config.clone(),
        event: input,
        trace: telemetry::from_here(request.trace.clone()),
        invocation: request.invocation.clone(),
        cancelled: Some(cancelled),
        progress: Some(progress),
    }
}
