//! Wakes the receives that wait, when their queue changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Of each queue that a receive waits for, who is to be told.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<HashMap<String, watch::Sender<()>>>);

impl Changes {
    /// Tells every receive that waits for messages of `queue` to look again.
    pub(crate) fn wake(&self, queue: &str) {
        if let Some(waiting) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue) {
            waiting.send_replace(());
        }
    }

    /// What changes with the queue, from now on.
    pub(crate) fn watch(&self, queue: &str) -> watch::Receiver<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, waiting| waiting.receiver_count() > 0);
        all.entry(queue.to_owned()).or_insert_with(|| watch::Sender::new(())).subscribe()
    }
}
