//! When an attempt that failed is made again.

use std::time::Duration;

use badlambda_shared::aws::retry::Delays;
use badlambda_shared::limits;

use crate::sandbox::RetryWish;

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);
/// From then on a delay is the longest.
const MOST_GROWTH: u32 = 20;

/// When what failed is to be tried again, if it is: it has failed so often before, and its config allows so many `retries`.
pub(crate) fn retry_delay(failed_before: u32, wish: RetryWish, retries: u64) -> Option<Duration> {
    let (most, asked) = match wish {
        RetryWish::Never => return None,
        RetryWish::AsConfigured => (retries, None),
        // As often as its config could have said.
        RetryWish::Again(asked) => (*limits::RETRIES.range.end(), asked),
    };
    (u64::from(failed_before) < most).then(|| asked.unwrap_or_else(|| growing_delay(failed_before)))
}

/// Grows with how often it came to this before.
pub(crate) fn growing_delay(before: u32) -> Duration {
    let mut delays = Delays::between(FIRST_RETRY, LONGEST_RETRY);
    for _ in 0..before.min(MOST_GROWTH) {
        delays.next_delay();
    }
    delays.next_delay()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_tried_again_as_often_as_the_config_says() {
        let delay = |failed_before, retries| retry_delay(failed_before, RetryWish::AsConfigured, retries);
        assert_eq!(delay(0, 0), None);
        assert!(delay(0, 2).is_some());
        assert!(delay(1, 2).is_some_and(|delay| delay <= Duration::from_secs(3)));
        assert_eq!(delay(2, 2), None);
    }

    #[test]
    fn a_failure_may_ask_for_more_or_none() {
        assert_eq!(retry_delay(0, RetryWish::Never, 8), None);
        let asked = Some(Duration::from_secs(7));
        assert_eq!(retry_delay(7, RetryWish::Again(asked), 0), asked);
        assert_eq!(retry_delay(8, RetryWish::Again(asked), 0), None);
    }
}
