//! Trying again what fails on our side. Meanwhile the message is held, and no attempt is used up: an outage of S3
//! delays executions, and costs none.

use std::fmt::Display;
use std::time::Duration;

use badlambda_shared::aws::retry::Delays;
use tokio_util::sync::CancellationToken;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// How long a message that has not begun to run is held while S3 does not answer.
pub(crate) const STORE_PATIENCE: Duration = Duration::from_secs(120);

/// When a message that has not begun to run is received again, once it was held for so long.
pub(crate) const STORE_DELAY: Duration = Duration::from_secs(30);

/// Why there was no success.
#[derive(Debug)]
pub(crate) enum RetryError<E> {
    /// The time was up.
    GaveUp,
    /// It can't work later either.
    Permanent(E),
}

/// Calls `attempt` until it works, `give_up` is ready, or it fails in a way that does not pass.
pub(crate) async fn retry_until<T, E, F>(
    what: &str,
    give_up: impl Future<Output = ()>,
    may_pass: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, RetryError<E>>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
    let mut give_up = std::pin::pin!(give_up);
    loop {
        // A call that hangs is given up, too.
        let result = tokio::select! {
            result = attempt() => result,
            () = &mut give_up => return Err(RetryError::GaveUp),
        };
        match result {
            Ok(value) => return Ok(value),
            Err(error) if !may_pass(&error) => return Err(RetryError::Permanent(error)),
            Err(error) => tracing::warn!(%error, "could not {what}; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(delays.next_delay()) => {}
            () = &mut give_up => return Err(RetryError::GaveUp),
        }
    }
}

/// Ready once `stop` is cancelled, or after `longest`.
pub(crate) async fn stopped_or_after(stop: &CancellationToken, longest: Duration) {
    let _ = tokio::time::timeout(longest, stop.cancelled()).await;
}

/// When a message that was given up is received again: at once where this worker stops, so that another one takes it, and
/// else after `later`.
pub(crate) fn delay_unless_stopped(stop: &CancellationToken, later: Duration) -> Duration {
    if stop.is_cancelled() { Duration::ZERO } else { later }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_until_the_time_is_up() {
        let stop = CancellationToken::new();
        let mut tries = 0;
        let result: Result<u32, RetryError<&str>> = retry_until(
            "count",
            stopped_or_after(&stop, Duration::from_secs(60)),
            |_| true,
            || {
                tries += 1;
                std::future::ready(if tries < 3 { Err("not yet") } else { Ok(tries) })
            },
        )
        .await;
        assert!(matches!(result, Ok(3)));
        let never = || std::future::ready(Err::<(), _>("never"));
        let give_up = stopped_or_after(&stop, Duration::from_secs(60));
        assert!(matches!(retry_until("count", give_up, |_| true, never).await, Err(RetryError::GaveUp)));
        assert!(matches!(
            retry_until("count", stop.cancelled(), |_| false, never).await,
            Err(RetryError::Permanent("never"))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_is_given_up() {
        let stop = CancellationToken::new();
        let hang = || std::future::pending::<Result<(), &str>>();
        let give_up = stopped_or_after(&stop, Duration::from_secs(60));
        assert!(matches!(retry_until("hang", give_up, |_| true, hang).await, Err(RetryError::GaveUp)));
    }
}
