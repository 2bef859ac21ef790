//! The way of a delivery: claim, admit, prepare, run, publish, notify. Whatever happens in them, it is settled once.

pub(crate) mod claim;
pub(crate) mod concurrency;
pub(crate) mod event_source;
pub(crate) mod kept_input;
pub(crate) mod notify;
pub(crate) mod packages;
pub(crate) mod prepare;
pub(crate) mod publish;
pub(crate) mod retry;
pub(crate) mod retry_delay;
pub(crate) mod run;
pub(crate) mod watch_record;

use std::sync::Arc;
use std::time::Instant;

use badlambda_shared::aws::queue::Message;
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::function::catalog::Runnable;
use badlambda_shared::process::telemetry;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use crate::map::{ChunkDelivery, ChunkSteps};
use crate::receive::delivery::Delivery;
use crate::receive::prefetch::Prefetch;
use crate::settle::{Settlement, Settler};
use crate::steps::claim::{Claim, Claimer};
use crate::steps::concurrency::Admission;
use crate::steps::event_source::EventSource;
use crate::steps::notify::Notifier;
use crate::steps::prepare::{Preparer, Unprepared, expired};
use crate::steps::publish::Publisher;
use crate::steps::retry_delay::growing_delay;
use crate::steps::run::Runner;

/// The steps of a delivery, in their order. A step that ends the way early says what is to become of the message.
pub(crate) struct Steps {
    pub(crate) event_source: EventSource,
    pub(crate) claimer: Claimer,
    pub(crate) admission: Admission,
    pub(crate) preparer: Preparer,
    pub(crate) runner: Runner,
    pub(crate) publisher: Publisher,
    pub(crate) notifier: Notifier,
    pub(crate) settler: Settler,
    pub(crate) chunks: ChunkSteps,
    /// Told how long the steps before the run take.
    pub(crate) prefetch: Prefetch,
}

impl Steps {
    /// Sees a delivery through to its settlement.
    pub(crate) async fn handle(&self, mut delivery: Delivery) {
        let assigned = self.event_source.assign(&mut delivery).await;
        let span = span_of(&delivery);
        let handling = async {
            let mut runnable = None;
            let (Ok(settlement) | Err(settlement)) = match assigned {
                Ok(()) => self.advance(&mut delivery, &mut runnable).await,
                Err(settlement) => Err(settlement),
            };
            let request = delivery.request.as_ref().ok();
            let settlement = self.notifier.notify(request, runnable, settlement).await;
            self.settler.settle(delivery, settlement).instrument(debug_span!("settle")).await;
        };
        handling.instrument(span).await;
    }

    /// The same for a chunk of a map.
    pub(crate) async fn handle_chunk(&self, delivery: ChunkDelivery) {
        let settlement = self.chunks.handle(&delivery).await;
        self.settler.settle_chunk(delivery, settlement).await;
    }

    /// Tells by `found` what is run, once that is known.
    async fn advance(
        &self,
        delivery: &mut Delivery,
        found: &mut Option<Arc<Runnable>>,
    ) -> Result<Settlement, Settlement> {
        let Delivery { message, request, history, permit, .. } = delivery;
        let mut claim =
            self.claimer.claim(message, request, history).instrument(debug_span!("claim")).await?;
        if let Some(expired) = expired(claim.request) {
            return Err(self.not_run(&mut claim, Unprepared::Never(expired)).await?);
        }
        let admit = self.admission.admit(claim.request, permit).instrument(debug_span!("admit"));
        let admitted = admit.await?;
        let began_at = Instant::now();
        let prepare = self.preparer.prepare(claim.request).instrument(debug_span!("prepare"));
        let prepared = match prepare.await {
            Ok(prepared) => prepared,
            Err(unprepared) => return Err(self.not_run(&mut claim, unprepared).await?),
        };
        let runnable = &prepared.program.runnable;
        *found = Some(Arc::clone(runnable));
        let Runnable { version, revision, .. } = &**runnable;
        claim.request.pin(*version, revision.clone());
        if claim.needs_look(runnable) {
            self.claimer.look(&mut claim).instrument(debug_span!("look")).await?;
        }
        self.prefetch.note_look(began_at.elapsed());
        let finished = self.runner.run(&mut claim, prepared, permit, admitted).await?;
        self.publisher.publish(claim, finished, permit).instrument(debug_span!("publish")).await
    }

    /// What becomes of a message for which there is nothing to run. Its execution may have ended before, and its input or
    /// its function be gone since.
    async fn not_run(&self, claim: &mut Claim<'_>, unprepared: Unprepared) -> Result<Settlement, Settlement> {
        match unprepared {
            Unprepared::GaveUp => Ok(self.claimer.not_started()),
            Unprepared::Lost(error) => Ok(Settlement::Retry {
                after: growing_delay(claim.history.lost),
                because: GivenBack::Lost(error),
            }),
            Unprepared::Never(error) => {
                self.claimer.look(claim).await?;
                Ok(claim.dead_letter(error))
            }
        }
    }
}

/// Names the message, its execution and its trace on every line that is logged meanwhile. As an error it is there for
/// whatever is logged.
fn span_of(delivery: &Delivery) -> Span {
    let Message { message_id, trace, .. } = &delivery.message;
    let known = match &delivery.request {
        Ok(request) => Some((&request.function, &request.id)),
        Err(bad) => bad.known.as_ref().map(|(function, id)| (function, id)),
    };
    let span = tracing::error_span!(
        "message",
        otel.kind = "consumer",
        message_id,
        function = known.map(|(function, _)| function.as_str()),
        execution = known.map(|(_, id)| id.as_str()),
        traceparent = trace.traceparent(),
        trace_id = Empty
    );
    telemetry::continue_trace(&span, trace.clone());
    span
}
