//! How many chunks a worker has at once. Two are run, so that the slots have work while one is begun or ended. A chunk's
//! message that comes beyond them waits for at most a second or so, and is then given back, since another worker may be
//! free for it. All that wait are given back at the same time: SQS takes ten in a call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Chunks that are run at once.
const AT_ONCE: usize = 2;
/// How often what waits is given back.
const ROUND: Duration = Duration::from_secs(1);
/// What came later than this before the end of a round waits for the next one.
const SHORT: Duration = Duration::from_millis(250);

/// The permits to run chunks.
#[derive(Debug)]
pub(crate) struct Intake {
    permits: Arc<Semaphore>,
    started_at: Instant,
    stop: CancellationToken,
}

/// The permit to run one chunk.
#[derive(Debug)]
pub(super) struct ChunkPermit {
    _permit: OwnedSemaphorePermit,
}

impl Intake {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), started_at: Instant::now(), stop }
    }

    /// Whether a further chunk would have to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.permits.available_permits() == 0
    }

    /// The permit to run a chunk, unless the worker stops, or others could run it sooner.
    pub(super) async fn admit(&self) -> Option<ChunkPermit> {
        let permit = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            permit = Arc::clone(&self.permits).acquire_owned() => permit.ok(),
            () = tokio::time::sleep(until_given_back(self.started_at.elapsed())) => None,
        };
        permit.map(|permit| ChunkPermit { _permit: permit })
    }
}

/// How long what comes now waits, if rounds began so long ago.
fn until_given_back(elapsed: Duration) -> Duration {
    let into_round = Duration::from_nanos((elapsed.as_nanos() % ROUND.as_nanos()) as u64);
    let left = ROUND - into_round;
    if left < SHORT { left + ROUND } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_given_back_together() {
        let at = |ms| (Duration::from_millis(ms) + until_given_back(Duration::from_millis(ms))).as_millis();
        assert_eq!([0, 1, 400, 750].map(at), [1000; 4]);
        assert_eq!([751, 999, 1000, 1700].map(at), [2000; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_third_chunk_waits_for_one_of_two() {
        let intake = Intake::new(CancellationToken::new());
        let (first, second) = (intake.admit().await, intake.admit().await);
        assert!(first.is_some() && second.is_some() && intake.is_full());
        assert!(intake.admit().await.is_none(), "it is given back");
        drop(first);
        assert!(!intake.is_full() && intake.admit().await.is_some());
        intake.stop.cancel();
        assert!(intake.admit().await.is_none());
    }
}
