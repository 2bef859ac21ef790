//! Holding another message in place of one that waits for something else than a slot.

use std::sync::Arc;

use badlambda_shared::process::metrics::Counted;

use super::{Prefetch, PrefetchPermit};

/// A message that waits, nobody knows for how long. Another one may be held in its place.
#[derive(Debug)]
pub(crate) struct PausedPermit {
    prefetch: Prefetch,
    prefetched: Option<Counted>,
}

impl PrefetchPermit {
    /// Lets another message be held in place of this one.
    pub(crate) fn pause(mut self) -> PausedPermit {
        PausedPermit { prefetch: self.prefetch.clone(), prefetched: self.prefetched.take() }
    }
}

impl PausedPermit {
    /// Holds the message as before. Where none of the permits is free, one more is held than there should be, until the
    /// next one is given up.
    pub(crate) fn resume(self) -> PrefetchPermit {
        let Self { prefetch, prefetched } = self;
        let permit = Arc::clone(&prefetch.0.permits).try_acquire_owned().ok();
        if permit.is_none() {
            prefetch.lock().size += 1;
        }
        PrefetchPermit { prefetch, permit, prefetched }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn while_a_message_waits_another_one_is_held() {
        let prefetch = Prefetch::new(2);
        let mut held = prefetch.acquire(Duration::ZERO).await.unwrap();
        let paused = held.pop().unwrap().pause();
        let other = prefetch.acquire(Duration::ZERO).await.unwrap();
        assert_eq!(other.len(), 1);
        let resumed = paused.resume();
        // Three are held. The first that is given up frees no permit.
        drop(other);
        assert!(!prefetch.has_free());
        drop(resumed);
        assert_eq!(prefetch.0.permits.available_permits(), 1);
        drop(held);
        assert_eq!(prefetch.0.permits.available_permits(), 2);
        // Where a permit is free, it is that one.
        let paused = prefetch.acquire(Duration::ZERO).await.unwrap().pop().unwrap().pause();
        let resumed = paused.resume();
        assert_eq!(prefetch.0.permits.available_permits(), 1);
        drop(resumed);
        assert_eq!(prefetch.0.permits.available_permits(), 2);
    }
}
