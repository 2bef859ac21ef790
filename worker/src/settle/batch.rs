//! Collecting what comes one by one.

use tokio::sync::mpsc;

/// Adds what comes to `batch`, until it has `most` items or no sender is left.
pub(crate) async fn fill<T>(batch: &mut Vec<T>, waiting: &mut mpsc::Receiver<T>, most: usize) {
    while batch.len() < most {
        match waiting.recv().await {
            Some(next) => batch.push(next),
            None => return,
        }
    }
}
