//! Whether the services behind the API answer.

use std::time::Instant;

use badlambda_shared::aws::queue::Queue;
use badlambda_shared::aws::store::Store;
use badlambda_shared::limits;
use tokio::sync::Mutex;

/// What the services behind the API answered last. However many probes there are, one of them asks.
pub(crate) struct Readiness {
    queue: Queue,
    store: Store,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Readiness {
    pub(crate) fn new(queue: Queue, store: Store) -> Self {
        Self { queue, store, last: Mutex::new(None) }
    }

    /// Why they do not, if they do not.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        match &*last {
            Some((asked_at, answer)) if asked_at.elapsed() < limits::READINESS_TTL => answer.clone(),
            _ => {
                let answer = self.ask().await;
                *last = Some((Instant::now(), answer.clone()));
                answer
            }
        }
    }

    async fn ask(&self) -> Result<(), String> {
        let (queue, store) = tokio::join!(self.queue.check(), self.store.check());
        queue.map_err(|error| error.to_string())?;
        store.map_err(|error| error.to_string())
    }
}
