//! The way of a delivery: claim, prepare, run, publish. Whatever happens in them, it is settled once.

use std::time::Instant;

use badlambda_shared::queue::Message;
use tracing::{Instrument, Span};

use crate::claim::{Claim, Claimer};
use crate::delivery::Delivery;
use crate::prefetch::Prefetch;
use crate::prepare::{Preparer, Unprepared};
use crate::publish::Publisher;
use crate::run::Runner;
use crate::settle::{Settlement, Settler};

/// The steps of a delivery, in their order. A step that ends the way early says what is to become of the message.
pub(crate) struct Steps {
    pub(crate) claimer: Claimer,
    pub(crate) preparer: Preparer,
    pub(crate) runner: Runner,
    pub(crate) publisher: Publisher,
    pub(crate) settler: Settler,
    /// Told how long the steps before the run take.
    pub(crate) prefetch: Prefetch,
}

impl Steps {
    /// Sees a delivery through to its settlement.
    pub(crate) async fn handle(&self, mut delivery: Delivery) {
        let span = span_of(&delivery.message);
        let handling = async {
            let (Ok(settlement) | Err(settlement)) = self.advance(&mut delivery).await;
            self.settler.settle(delivery, settlement).await;
        };
        handling.instrument(span).await;
    }

    async fn advance(&self, delivery: &mut Delivery) -> Result<Settlement, Settlement> {
        let Delivery { message, request, history, permit, .. } = delivery;
        let began_at = Instant::now();
        let mut claim = self.claimer.claim(message, request, history).await?;
        let prepared = match self.preparer.prepare(claim.request).await {
            Ok(prepared) => prepared,
            Err(unprepared) => return Err(self.not_run(&mut claim, unprepared).await?),
        };
        if claim.needs_look(&prepared.version) {
            self.claimer.look(&mut claim).await?;
        }
        self.prefetch.note_look(began_at.elapsed());
        let finished = self.runner.run(&mut claim, prepared).await?;
        self.publisher.publish(claim, finished, permit).await
    }

    /// What becomes of a message for which there is nothing to run. Its execution may have ended before, and its input or
    /// its function be gone since.
    async fn not_run(&self, claim: &mut Claim<'_>, unprepared: Unprepared) -> Result<Settlement, Settlement> {
        match unprepared {
            Unprepared::GaveUp => Ok(self.claimer.not_started()),
            Unprepared::Never(error) => {
                self.claimer.look(claim).await?;
                Ok(claim.dead_letter(error))
            }
        }
    }
}

/// Names the message, and the trace that it belongs to, on every line that is logged meanwhile. As an error it is there
/// for whatever is logged.
fn span_of(message: &Message) -> Span {
    let (trace, trace_id) = (&message.trace, message.trace.id());
    tracing::error_span!(
        "message",
        message_id = message.message_id,
        traceparent = trace.traceparent(),
        trace_id = trace_id.as_deref()
    )
}
