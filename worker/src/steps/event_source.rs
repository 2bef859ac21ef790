//! Messages that name no function: they are events of the one that an event source mapping names, or else inputs of the
//! worker's default function.

use std::sync::Arc;

use badlambda_shared::aws::store::StoreError;
use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::execution::message::FUNCTION_ATTRIBUTE;
use badlambda_shared::function::event_sources::{EventSourceCache, EventSources};
use badlambda_shared::function::name::FunctionName;
use tokio_util::sync::CancellationToken;

use crate::receive::delivery::Delivery;
use crate::settle::Settlement;
use crate::steps::retry::{
    RetryError, STORE_DELAY, STORE_PATIENCE, delay_unless_stopped, retry_until, stopped_or_after,
};

/// What the step needs.
pub(crate) struct EventSource {
    pub(crate) mappings: EventSourceCache,
    pub(crate) default_function: Option<FunctionName>,
    pub(crate) stop: CancellationToken,
}

impl EventSource {
    /// Finds a function for a message that is no envelope and has no attribute that names one. Where there is none, it stays
    /// a message that can't be read.
    pub(crate) async fn assign(&self, delivery: &mut Delivery) -> Result<(), Settlement> {
        let Delivery { message, request, .. } = delivery;
        if request.is_ok() || message.attribute(FUNCTION_ATTRIBUTE).is_some() {
            return Ok(());
        }
        let mappings = self.mappings().await?;
        match (mappings.enabled(), &self.default_function) {
            (Some((_, mapping)), _) => *request = mapping.request(message),
            (None, Some(function)) => *request = message.received().parse(Some(function)),
            (None, None) => {}
        }
        Ok(())
    }

    async fn mappings(&self) -> Result<Arc<EventSources>, Settlement> {
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        let may_pass = |error: &Arc<StoreError>| error.may_pass();
        let read = || self.mappings.get();
        match retry_until("read event source mappings", give_up, may_pass, read).await {
            Ok(mappings) => Ok(mappings),
            Err(RetryError::Permanent(error)) => {
                tracing::error!(%error, "the event source mappings can't be read, and count as none");
                Ok(Arc::default())
            }
            Err(RetryError::GaveUp) => {
                let after = delay_unless_stopped(&self.stop, STORE_DELAY);
                Err(Settlement::Retry { after, because: GivenBack::NotStarted })
            }
        }
    }
}
