//! How many messages there were in the last 15 minutes. SQS tells only how many there are: so the API asks it again and
//! again, and remembers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use badlambda_shared::aws::queue::{Depth, Queue};
use badlambda_shared::timestamp::Timestamp;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Two cents a month of requests.
const SAMPLE_EVERY: Duration = Duration::from_secs(15);
/// Those of 15 minutes.
const KEPT: usize = 60;

/// The last samples, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Samples(Mutex<VecDeque<(Timestamp, Depth)>>);

impl Samples {
    /// Asks the queue until `stop`. What SQS does not answer is missing.
    pub(crate) async fn take(&self, queue: &Queue, stop: &CancellationToken) {
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            match queue.depth().await {
                Ok(depth) => self.add(Timestamp::now(), depth),
                Err(error) => tracing::debug!(%error, "could not look how many messages there are"),
            }
        }
    }

    fn add(&self, at: Timestamp, depth: Depth) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back((at, depth));
    }

    pub(super) fn all(&self) -> Vec<(Timestamp, Depth)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_ones_are_kept() {
        let samples = Samples::default();
        for visible in 0..100 {
            samples.add(Timestamp::now(), Depth { visible, held: 0, delayed: 0 });
        }
        let kept: Vec<u64> = samples.all().iter().map(|(_, depth)| depth.visible).collect();
        assert_eq!((kept.len(), kept.first(), kept.last()), (KEPT, Some(&40), Some(&99)));
    }
}
