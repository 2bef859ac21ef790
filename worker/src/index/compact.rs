//! Putting the index of past hours together.

use std::collections::HashSet;
use std::time::Duration;

use badlambda_shared::index::{Hour, compact::compact};
use badlambda_shared::store::{Store, StoreError};
use badlambda_shared::timestamp::Timestamp;
use rand::Rng as _;
use tokio_util::sync::CancellationToken;

/// How often a worker looks for hours to compact; every one looks, at other times.
const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long after its end an hour is left alone: by then nearly all that ended in it is listed.
const SETTLES_WITHIN: Duration = Duration::from_secs(10 * 60);
/// How far back a worker looks, in hours.
const HOURS: i64 = 48;

/// Compacts hours that are over, until `ended`.
pub(crate) async fn compact_hours(store: Store, ended: CancellationToken) {
    let mut compacted = HashSet::new();
    loop {
        let pause = LOOK_EVERY.mul_f64(rand::rng().random_range(0.1..1.0));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ended.cancelled() => return,
        }
        tokio::select! {
            result = compact_all(&store, &mut compacted) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "could not compact the index; it is tried again");
                }
            }
            () = ended.cancelled() => return,
        }
    }
}

/// Remembers the hours that need nothing more.
async fn compact_all(store: &Store, compacted: &mut HashSet<Hour>) -> Result<(), StoreError> {
    let last = Hour::of(Timestamp::now().unix_ms() - SETTLES_WITHIN.as_millis() as i64).before(1);
    let hours: Vec<Hour> = (0..HOURS).map(|back| last.before(back)).collect();
    compacted.retain(|hour| hours.contains(hour));
    for hour in hours {
        if !compacted.contains(&hour) {
            let (before, after) = compact(store, hour).await?;
            if before > after {
                tracing::info!(%hour, before, after, "compacted an hour of the index");
            }
            compacted.insert(hour);
        }
    }
    Ok(())
}
