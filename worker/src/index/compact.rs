//! Putting the index of past hours together.

use std::collections::HashSet;
use std::time::Duration;

use badlambda_shared::aws::store::{Store, StoreError};
use badlambda_shared::index::{Hour, compact::compact, hours_since};
use badlambda_shared::timestamp::Timestamp;
use rand::Rng as _;
use tokio_util::sync::CancellationToken;

/// How often a worker looks for hours to compact; every one looks, at other times.
const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);
/// When it looks first.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// How long after its end an hour is left alone: by then nearly all that ended in it is listed.
const SETTLES_WITHIN: Duration = Duration::from_secs(10 * 60);
/// How far back a worker looks, in hours.
const HOURS: i64 = 48;

/// Compacts hours that are over, until `ended`.
pub(crate) async fn compact_hours(store: Store, ended: CancellationToken) {
    let compacting = async {
        let mut compacted = HashSet::new();
        let mut pause = FIRST_LOOK;
        loop {
            let share = rand::rng().random_range(0.1..1.0);
            tokio::time::sleep(pause.mul_f64(share)).await;
            if let Err(error) = compact_all(&store, &mut compacted).await {
                tracing::warn!(%error, "could not compact the index; it is tried again");
            }
            pause = LOOK_EVERY;
        }
    };
    tokio::select! {
        () = compacting => {}
        () = ended.cancelled() => {}
    }
}

/// Remembers the hours that need nothing more.
async fn compact_all(store: &Store, compacted: &mut HashSet<Hour>) -> Result<(), StoreError> {
    let present = Hour::of(Timestamp::now().unix_ms() - SETTLES_WITHIN.as_millis() as i64);
    let hours = hours_since(store, present.before(HOURS)).await?;
    compacted.retain(|hour| hours.contains(hour));
    for hour in hours.into_iter().filter(|hour| *hour < present) {
        if compacted.contains(&hour) {
            continue;
        }
        let (before, after) = compact(store, hour).await?;
        if before > after {
            tracing::info!(%hour, before, after, "compacted an hour of the index");
        }
        compacted.insert(hour);
    }
    Ok(())
}
