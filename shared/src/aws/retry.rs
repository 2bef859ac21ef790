//! Every delay before a retry, with exponential growth and jitter: the one place that knows the `backoff` crate.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// Growing delays between tries of something that fails.
#[derive(Debug)]
pub struct Delays(ExponentialBackoff);

impl Delays {
    /// Delays that start near `first`, double each time and stay near `most`, each off by up to a half.
    pub fn between(first: Duration, most: Duration) -> Self {
        Self(ExponentialBackoff {
            current_interval: first,
            initial_interval: first,
            randomization_factor: 0.5,
            multiplier: 2.0,
            max_interval: most,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }

    /// The next delay.
    pub fn next_delay(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(self.0.max_interval)
    }

    /// Starts again from the first delay, after a success.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_most_and_start_again() {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(2));
        let mut delays = Delays::between(first, most);
        let seen: Vec<Duration> = (0..12).map(|_| delays.next_delay()).collect();
        assert!(seen[0] >= first / 2 && seen[0] <= first * 3 / 2, "{seen:?}");
        assert!(seen.iter().all(|delay| *delay <= most * 3 / 2), "{seen:?}");
        assert!(seen[11] >= most / 2, "{seen:?}");
        delays.reset();
        assert!(delays.next_delay() <= first * 3 / 2);
    }
}
