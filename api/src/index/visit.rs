//! Going through what ended lately, in no order.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use badlambda_shared::aws::store::StoreError;
use badlambda_shared::index::{Hour, Row, SegmentName};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::index::{CLOCKS_DIFFER_MS, Filter, Index};

impl Index {
    /// Calls `visit` for each execution that passes the filter and ended since `since_ms`, once.
    ///
    /// # Errors
    /// When S3 fails.
    pub(crate) async fn visit(
        &self,
        filter: &Filter,
        since_ms: i64,
        mut visit: impl FnMut(&Row),
    ) -> Result<(), Arc<StoreError>> {
        let hashes = RandomState::new();
        // A hash of each id: of a million, two are the same with a chance of one in thirty million.
        let mut seen = HashSet::new();
        let mut hour = Hour::of(Timestamp::now().unix_ms() + CLOCKS_DIFFER_MS);
        while hour >= Hour::of(since_ms) {
            let names = self.names_since(hour, since_ms).await?;
            let mut segments = stream::iter(names)
                .map(|name| async move { self.segment(&name).await })
                .buffer_unordered(limits::READS_AT_ONCE);
            while let Some(segment) = segments.try_next().await? {
                let passes = filter.of_segment(&segment);
                for row in segment.rows().iter().filter(|row| passes.passes(row)) {
                    if seen.insert(hashes.hash_one(segment.sort_key(row).1)) {
                        visit(row);
                    }
                }
            }
            hour = hour.before(1);
        }
        Ok(())
    }

    /// The segments of an hour that may have lines since `since_ms`.
    async fn names_since(&self, hour: Hour, since_ms: i64) -> Result<Vec<SegmentName>, Arc<StoreError>> {
        let (mut names, mut after) = (vec![], None);
        loop {
            let page = self.names(hour, after.as_deref()).await?;
            let is_recent = |name: &&SegmentName| name.newest_ms >= since_ms;
            names.extend(page.names.iter().take_while(is_recent).cloned());
            after = page.next.clone().filter(|_| page.names.last().is_none_or(|last| is_recent(&last)));
            if after.is_none() {
                return Ok(names);
            }
        }
    }
}
