//! Trying again what fails on our side, for as long as it takes. Meanwhile the message is held, and a receive is not
//! used up: an outage of S3 delays executions, and costs none.

use std::fmt::Display;
use std::time::Duration;

use badlambda_shared::retry::Delays;
use tokio_util::sync::CancellationToken;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Why there was no success.
#[derive(Debug)]
pub(crate) enum Unmet<E> {
    /// There is no more time.
    Stopped,
    /// It can't work later either.
    Never(E),
}

/// Calls `attempt` until it works, `until` is cancelled, or it fails in a way that does not pass.
pub(crate) async fn patiently<T, E, F>(
    what: &str,
    until: &CancellationToken,
    may_pass: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Unmet<E>>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let mut delays = Delays::between(FIRST_DELAY, LONGEST_DELAY);
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if !may_pass(&error) => return Err(Unmet::Never(error)),
            Err(error) => tracing::warn!(%error, "could not {what}; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(delays.next_delay()) => {}
            () = until.cancelled() => return Err(Unmet::Stopped),
        }
    }
}
