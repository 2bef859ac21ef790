//! Running the items of a chunk, each in an execution process of its own, in slots that no execution waits for.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use badlambda_shared::execution::trace::Trace;
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::map::{ChunkRequest, ItemStatus, MapItem};
use badlambda_shared::process::metrics::function_label;
use nix::sys::eventfd::{EfdFlags, EventFd};
use serde_json::value::RawValue;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::cancelled::Cancellations;
use super::inputs::Inputs;
use super::permits::{ItemPermit, ItemPermits};
use super::results::{Results, ResultsError};
use super::schedule::{Schedule, Try};
use crate::metrics::{MAP_ITEMS, RUN};
use crate::sandbox::{Executor, ExecutorError, Outcome, Task};
use crate::slots::Slots;
use crate::steps::claim::worker_lost;
use crate::steps::prepare::Program;
use crate::steps::retry::{RetryError, stopped_or_after};
use crate::steps::retry_delay::{growing_delay, retry_delay};

/// How often what came of items is stored: a worker that dies loses no more than it did since.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// How long results wait for an S3 that does not take them, before the items had better be run again.
const SAVE_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How long the last ones may take once everything is broken off.
const LAST_SAVE: Duration = Duration::from_secs(2);
/// The longest pause before an item is tried again: its chunk's message is held meanwhile.
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// What running items needs.
pub(crate) struct ItemRunner {
    pub(crate) executor: Arc<Executor>,
    pub(crate) slots: Slots,
    pub(crate) cancellations: Cancellations,
    /// How many attempts at an item may get no outcome.
    pub(crate) max_attempts: u32,
    /// Nothing more is begun.
    pub(crate) stop: CancellationToken,
    /// Everything that runs is broken off.
    pub(crate) abandon: CancellationToken,
}

/// What is run.
pub(super) struct Chunk<'a> {
    pub(super) request: &'a ChunkRequest,
    pub(super) program: &'a Program,
    pub(super) inputs: &'a Inputs,
    pub(super) trace: &'a Trace,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All items have ended.
    Complete,
    /// The map was cancelled.
    Cancelled,
    /// The worker stops. Items are left.
    Stopped,
    /// The function's reserved concurrency is used up. Items are left.
    AtCap,
}

/// Items that run.
struct Running {
    items: JoinSet<Result<Outcome, ExecutorError>>,
    tries: HashMap<Id, Try>,
    /// Readable once all are to end.
    cancel: Arc<OwnedFd>,
}

impl ItemRunner {
    /// Runs all items that have not ended, and stores what comes of them, all but the last of it.
    ///
    /// # Errors
    /// When results can't be stored for so long that the chunk had better be run again.
    pub(super) async fn run(
        &self,
        chunk: &Chunk<'_>,
        permits: &mut ItemPermits,
        results: &mut Results,
    ) -> Result<Ended, RetryError<ResultsError>> {
        let mut running = Running::none().map_err(|_| RetryError::GaveUp)?;
        let mut schedule = Schedule::new(results.open_places().into_iter());
        let mut cancelled = std::pin::pin!(self.cancellations.until_cancelled(&chunk.request.map));
        let mut saves = tokio::time::interval_at(tokio::time::Instant::now() + SAVE_EVERY, SAVE_EVERY);
        while !schedule.is_done() {
            let stops = self.stop.is_cancelled();
            if stops && running.items.is_empty() {
                return Ok(Ended::Stopped);
            }
            let now = Instant::now();
            let may_begin = !stops && schedule.has_next(now);
            let again_in =
                schedule.next_again().filter(|_| !stops).map(|at| at.saturating_duration_since(now));
            if !may_begin {
                permits.rest();
            }
            let (lapsed, is_idle) = (permits.lapsed(), running.items.is_empty());
            tokio::select! {
                biased;
                () = self.abandon.cancelled() => return Ok(self.break_off(running, Ended::Stopped).await),
                () = &mut cancelled => return Ok(self.break_off(running, Ended::Cancelled).await),
                () = lapsed, if !is_idle => return Ok(self.break_off(running, Ended::AtCap).await),
                Some(joined) = running.items.join_next_with_id() => {
                    self.note_end(chunk, running.ended(joined), &mut schedule, results);
                }
                _ = saves.tick() => self.save(results).await?,
                permit = permits.next(is_idle), if may_begin => {
                    let Some(permit) = permit else { return Ok(Ended::AtCap) };
                    if let Some(next) = schedule.next(now) {
                        self.begin(chunk, next, permit, &mut running, &mut schedule, results);
                    }
                }
                () = tokio::time::sleep(again_in.unwrap_or_default()), if !may_begin && again_in.is_some() => {}
                () = self.stop.cancelled(), if !stops => {}
            }
            if results.is_large() {
                self.save(results).await?;
            }
        }
        Ok(Ended::Complete)
    }

    /// Stores what has ended.
    pub(super) async fn save(&self, results: &mut Results) -> Result<(), RetryError<ResultsError>> {
        let give_up = || async {
            stopped_or_after(&self.abandon, SAVE_PATIENCE).await;
            tokio::time::sleep(LAST_SAVE).await;
        };
        results.save(give_up).await
    }

    fn begin(
        &self,
        chunk: &Chunk<'_>,
        next: Try,
        permit: ItemPermit,
        running: &mut Running,
        schedule: &mut Schedule,
        results: &mut Results,
    ) {
        let event = match chunk.inputs.get(next.place) {
            Ok(event) => event,
            Err(error) => {
                let bytes = results.add(&failed(results.index_of(next.place), error));
                return schedule.note_end(next.place, bytes);
            }
        };
        let task = task(chunk, next, results.index_of(next.place), event, &running.cancel);
        let executor = Arc::clone(&self.executor);
        let handle = running.items.spawn_blocking(move || {
            let outcome = executor.execute(&task);
            drop(permit);
            outcome
        });
        running.tries.insert(handle.id(), next);
    }

    fn note_end(
        &self,
        chunk: &Chunk<'_>,
        (ended, outcome): (Try, Result<Outcome, ExecutorError>),
        schedule: &mut Schedule,
        results: &mut Results,
    ) {
        let function = function_label(&chunk.request.function);
        let index = results.index_of(ended.place);
        let later = |delay: Duration| Instant::now() + delay.min(LONGEST_DELAY);
        let item = match outcome {
            Ok(outcome) => {
                RUN.record([function], outcome.usage.wall_ms / 1000.0);
                let retries = chunk.program.runnable.config.retries;
                if outcome.result.is_err()
                    && let Some(delay) = retry_delay(ended.failed, outcome.retry, retries)
                {
                    return schedule.try_again(Try { failed: ended.failed + 1, ..ended }, later(delay));
                }
                item_of(index, outcome)
            }
            Err(error) => {
                tracing::warn!(index, %error, "an attempt at an item of a map got no outcome");
                if ended.lost + 1 < self.max_attempts {
                    let delay = growing_delay(ended.lost);
                    return schedule.try_again(Try { lost: ended.lost + 1, ..ended }, later(delay));
                }
                failed(index, worker_lost(ended.lost + 1, Some(&error.to_string())))
            }
        };
        let kind = item.error.as_ref().map_or("none", |error| error.kind.name());
        let outcome = if item.error.is_none() { "succeeded" } else { "failed" };
        MAP_ITEMS.count([function, outcome, kind]);
        let bytes = results.add(&item);
        schedule.note_end(ended.place, bytes);
    }

    /// Ends what runs. Its outcome is of no interest.
    async fn break_off(&self, mut running: Running, ended: Ended) -> Ended {
        if let Err(errno) = nix::unistd::write(&running.cancel, &1u64.to_ne_bytes()) {
            tracing::error!(%errno, "could not end the items of a map");
        }
        while running.items.join_next().await.is_some() {}
        ended
    }
}

impl Running {
    fn none() -> nix::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let event = event.inspect_err(|errno| tracing::error!(%errno, "could not begin with a chunk"))?;
        Ok(Self { items: JoinSet::new(), tries: HashMap::new(), cancel: Arc::new(event.into()) })
    }

    /// Which try it was that has ended, and how.
    fn ended(
        &mut self,
        joined: Result<(Id, Result<Outcome, ExecutorError>), JoinError>,
    ) -> (Try, Result<Outcome, ExecutorError>) {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, outcome),
            Err(panic) => (panic.id(), Err(ExecutorError::System(std::io::Error::other(panic)))),
        };
        let ended = self.tries.remove(&id).expect("each item that runs has its try");
        (ended, outcome)
    }
}

/// The task of an item. What it logs is not kept.
fn task(chunk: &Chunk<'_>, next: Try, index: u64, event: String, cancel: &Arc<OwnedFd>) -> Task {
    let Chunk { request, program: Program { runnable, code, layers }, trace, .. } = chunk;
    let mut config = runnable.config.clone();
    config.max_log_bytes = 0;
    Task {
        execution_id: request.map.of_item(index),
        function: request.function.to_string(),
        version: request.version,
        attempt: next.failed.saturating_add(next.lost).saturating_add(1),
        revision: runnable.revision.to_string(),
        form: runnable.form,
        code: code.clone(),
        layers: layers.clone(),
        config,
        event,
        trace: (*trace).clone(),
        invocation: None,
        cancelled: Some(Arc::clone(cancel)),
        progress: None,
    }
}

fn item_of(index: u64, outcome: Outcome) -> MapItem {
    let Outcome { result, result_encoding, usage, .. } = outcome;
    // The executor has checked that it is JSON.
    let result = result.and_then(|json| {
        RawValue::from_string(on_one_line(json))
            .map_err(|error| ExecutionError::new(ErrorKind::ResultNotJson, error.to_string()))
    });
    match result {
        Ok(json) => {
            let (status, result) = (ItemStatus::Succeeded, Some(json));
            MapItem { index, status, result, result_encoding, error: None, usage: Some(usage) }
        }
        Err(error) => MapItem { usage: Some(usage), ..failed(index, error) },
    }
}

/// The same JSON without ends of lines: function code may write any between values, and each result is a line.
fn on_one_line(json: String) -> String {
    if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ") } else { json }
}

/// An item that has failed so.
pub(super) fn failed(index: u64, error: ExecutionError) -> MapItem {
    let (status, error) = (ItemStatus::Failed, Some(error.bounded()));
    MapItem { index, status, result: None, result_encoding: None, error, usage: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_one_line_however_a_function_wrote_it() {
        let json = "[1,\n{\"a\":\r\n\"\\n\"}\n]";
        let same: serde_json::Value = serde_json::from_str(json).unwrap();
        let line = on_one_line(json.to_owned());
        assert!(!line.contains(['\n', '\r']), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), same);
    }
}
