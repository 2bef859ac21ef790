//! When messages that found no room are to come back: about as fast as their function can run them, so that they neither
//! go round in the queue nor leave room unused.

use std::time::Duration;

use tokio::time::Instant;

/// SQS delays by whole seconds.
const LEAST: Duration = Duration::from_secs(1);
/// The longest, since the reserved concurrency may be raised, and runs be shorter than before.
const LONGEST: Duration = Duration::from_secs(60);

/// The messages of one function that this worker gave back.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When there should be room for the next one.
    next: Option<Instant>,
}

impl Pace {
    /// How much later the next message is to come back, where so many run at once, and each for so long.
    pub(super) fn delay(&mut self, now: Instant, run: Duration, cap: u32) -> Duration {
        let at = self.next.map_or(now + LEAST, |next| next.clamp(now + LEAST, now + LONGEST));
        self.next = Some(at + run / cap.max(1));
        at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_fast_as_they_can_be_run() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let ms = Duration::from_millis;
        let mut next = |later| pace.delay(now + later, ms(1000), 2).as_millis();
        assert_eq!([next(ms(0)), next(ms(0)), next(ms(0))], [1000, 1500, 2000]);
        assert_eq!(next(ms(500)), 2000);
        assert_eq!(next(ms(60_000)), 1000, "nothing waits any more");
        let longest = (0..1000).map(|_| next(ms(60_000))).max();
        assert_eq!(longest, Some(LONGEST.as_millis()));
    }
}
