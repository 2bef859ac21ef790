//! The way of a chunk: whether it is to be run, what is run, its items, and what its message comes to.

use std::time::Duration;

use badlambda_shared::execution::history::{AttemptHistory, GivenBack};
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::map::ChunkRequest;
use badlambda_shared::process::telemetry;
use badlambda_shared::timestamp::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::delivery::{ChunkDelivery, ChunkSettlement};
use super::inputs::Inputs;
use super::intake::Intake;
use super::items::{Chunk, Ended, ItemRunner, failed};
use super::permits::ItemPermits;
use super::results::{Results, ResultsError};
use crate::ecs::TaskProtection;
use crate::steps::claim::{AttemptLimits, NextStep, next_step};
use crate::steps::concurrency::Admission;
use crate::steps::prepare::{Preparer, Program, Unprepared};
use crate::steps::retry::{RetryError, STORE_PATIENCE, delay_unless_stopped, stopped_or_after};

/// When a chunk is begun again that S3 kept from being begun or stored.
const LATER: Duration = Duration::from_secs(30);

/// What the steps of a chunk need.
pub(crate) struct ChunkSteps {
    pub(crate) intake: Intake,
    pub(crate) admission: Admission,
    pub(crate) preparer: Preparer,
    pub(crate) runner: ItemRunner,
    pub(crate) limits: AttemptLimits,
    pub(crate) protection: TaskProtection,
    pub(crate) stop: CancellationToken,
}

impl ChunkSteps {
    /// Sees a chunk through, to what is to become of its message.
    pub(crate) async fn handle(&self, delivery: &ChunkDelivery) -> ChunkSettlement {
        let span = span_of(delivery);
        async {
            let (Ok(settlement) | Err(settlement)) = self.advance(delivery).await;
            log_end(&settlement);
            settlement
        }
        .instrument(span)
        .await
    }

    async fn advance(&self, delivery: &ChunkDelivery) -> Result<ChunkSettlement, ChunkSettlement> {
        let Some(_permit) = self.intake.admit().await else { return Err(not_started(Duration::ZERO)) };
        let request = match &delivery.request {
            Ok(request) => request,
            Err(bad) => {
                let error = ExecutionError::new(ErrorKind::BadMessage, bad.reason.clone());
                return Err(ChunkSettlement::DeadLetter(error));
            }
        };
        if self.runner.cancellations.is_cancelled(&request.map).await {
            return Ok(ChunkSettlement::Done);
        }
        let mut results = Results::of(self.preparer.store.clone(), request);
        if let Some(error) = given_up(&delivery.history, self.limits) {
            return Err(self.fail_all(&mut results, error).await);
        }
        let capped = self.admission.admit_chunk(request).await?;
        let mut permits = ItemPermits::new(self.runner.slots.clone(), capped);
        let (prepared, begun) = tokio::join!(self.prepare(request), self.begin(&mut results));
        begun?;
        if results.is_complete() {
            return Ok(ChunkSettlement::Done);
        }
        let (program, inputs) = match prepared {
            Ok(prepared) => prepared,
            Err(Unprepared::GaveUp) => return Err(self.not_begun()),
            Err(Unprepared::Lost(error)) => return Err(lost(error)),
            Err(Unprepared::Never(error)) => return Err(self.fail_all(&mut results, error).await),
        };
        let trace = telemetry::from_here(delivery.message.trace.clone());
        let chunk = Chunk { request, program: &program, inputs: &inputs, trace: &trace };
        self.run(&chunk, &mut permits, &mut results).await
    }

    /// Code and config, and the inputs.
    async fn prepare(&self, request: &ChunkRequest) -> Result<(Program, Inputs), Unprepared> {
        let inputs = Inputs::fetch(&self.preparer, request);
        let (program, inputs) = tokio::join!(self.preparer.program_of_chunk(request), inputs);
        Ok((program?, inputs?))
    }

    /// Finds what results there are, and stores that the chunk is begun.
    async fn begin(&self, results: &mut Results) -> Result<(), ChunkSettlement> {
        let begun = results.begin(|| stopped_or_after(&self.stop, STORE_PATIENCE)).await;
        begun.map_err(|error| match error {
            RetryError::GaveUp => self.not_begun(),
            RetryError::Permanent(error) => unreadable(&error),
        })
    }

    async fn run(
        &self,
        chunk: &Chunk<'_>,
        permits: &mut ItemPermits,
        results: &mut Results,
    ) -> Result<ChunkSettlement, ChunkSettlement> {
        let _protected =
            self.protection.cover(Duration::from_millis(chunk.program.runnable.config.timeout_ms));
        let ended = self.runner.run(chunk, permits, results).await;
        let ended = match ended {
            Ok(ended) => self.runner.save(results).await.map(|()| ended),
            Err(error) => Err(error),
        };
        match ended {
            Ok(Ended::Complete | Ended::Cancelled) => Ok(ChunkSettlement::Done),
            Ok(Ended::Stopped) => Err(not_started(Duration::ZERO)),
            Ok(Ended::AtCap) => {
                Err(permits.not_admitted().map_or_else(|| not_started(Duration::ZERO), ChunkSettlement::from))
            }
            Err(error) => Err(self.not_stored(error)),
        }
    }

    /// Ends all items that are left with this error, and gives the message up.
    async fn fail_all(&self, results: &mut Results, error: ExecutionError) -> ChunkSettlement {
        if let Err(settlement) = self.begin(results).await {
            return settlement;
        }
        for place in results.open_places() {
            results.add(&failed(results.index_of(place), error.clone()));
        }
        match self.runner.save(results).await {
            Ok(()) => ChunkSettlement::DeadLetter(error),
            Err(error) => self.not_stored(error),
        }
    }

    fn not_stored(&self, error: RetryError<ResultsError>) -> ChunkSettlement {
        match error {
            RetryError::GaveUp => {
                let after = delay_unless_stopped(&self.stop, LATER);
                ChunkSettlement::Retry { after, because: GivenBack::NotStored }
            }
            RetryError::Permanent(error) => unreadable(&error),
        }
    }

    /// The message is given back: at once where the worker stops, else later, since S3 does not answer.
    fn not_begun(&self) -> ChunkSettlement {
        not_started(delay_unless_stopped(&self.stop, LATER))
    }
}

fn not_started(after: Duration) -> ChunkSettlement {
    ChunkSettlement::Retry { after, because: GivenBack::NotStarted }
}

/// What is stored of the chunk's results is damaged. After some tries the message is given up.
fn unreadable(error: &ResultsError) -> ChunkSettlement {
    tracing::error!(%error, "the results of a chunk can't be read");
    lost(error.to_string())
}

fn lost(error: String) -> ChunkSettlement {
    ChunkSettlement::Retry { after: LATER, because: GivenBack::Lost(error) }
}

/// Why the chunk is not tried any more, if it is not.
fn given_up(history: &AttemptHistory, limits: AttemptLimits) -> Option<ExecutionError> {
    match next_step(history, limits, Timestamp::now()) {
        NextStep::GiveUp(error) => Some(error),
        // No copy of a chunk's message is delayed for longer than SQS can.
        NextStep::Run | NextStep::Wait(_) => None,
    }
}

fn span_of(delivery: &ChunkDelivery) -> Span {
    let known = delivery.request.as_ref().ok();
    let message = &delivery.message;
    let span = tracing::error_span!(
        "chunk",
        otel.kind = "consumer",
        message_id = message.message_id,
        function = known.map(|request| request.function.as_str()),
        map = known.map(|request| request.map.as_str()),
        chunk = known.map(|request| request.chunk),
        traceparent = message.trace.traceparent(),
        trace_id = Empty
    );
    telemetry::continue_trace(&span, message.trace.clone());
    span
}

/// A message that was only held for a moment is no news.
fn log_end(settlement: &ChunkSettlement) {
    match settlement {
        ChunkSettlement::Done => tracing::info!("a chunk of a map is done"),
        ChunkSettlement::Retry { because: GivenBack::NotStarted | GivenBack::AtCap, .. } => {
            tracing::debug!("a chunk of a map is given back");
        }
        ChunkSettlement::Retry { after, because } => {
            let after_ms = after.as_millis() as u64;
            tracing::info!(after_ms, ?because, "a chunk of a map is given back");
        }
        ChunkSettlement::DeadLetter(error) => {
            tracing::info!(reason = error.message, "a chunk of a map is given up");
        }
    }
}
