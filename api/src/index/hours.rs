//! The hours that have an index, the newest first.

use std::collections::VecDeque;
use std::sync::Arc;

use badlambda_shared::aws::store::StoreError;
use badlambda_shared::index::Hour;

use crate::index::Index;

/// Hours, from one on into the past. The first two are tried without asking whether they have an index, since most lists
/// end there.
pub(super) struct Hours<'a> {
    index: &'a Index,
    upcoming: VecDeque<Hour>,
    /// The folders of days that are not looked into yet, the newest first. `None` before they are known.
    days: Option<VecDeque<String>>,
    /// Only hours before this one are still to come from `days`.
    below: Hour,
}

impl<'a> Hours<'a> {
    pub(super) fn from(index: &'a Index, first: Hour) -> Self {
        let second = first.before(1);
        Self { index, upcoming: [first, second].into(), days: None, below: second }
    }

    /// The next hour, unless all that are left ended before `since_ms`.
    pub(super) async fn next(&mut self, since_ms: Option<i64>) -> Result<Option<Hour>, Arc<StoreError>> {
        let since = since_ms.map(Hour::of);
        loop {
            if let Some(hour) = self.upcoming.pop_front() {
                return Ok(Some(hour).filter(|hour| since.is_none_or(|since| *hour >= since)));
            }
            if since.is_some_and(|since| self.below <= since) {
                return Ok(None);
            }
            let days = match &mut self.days {
                Some(days) => days,
                None => {
                    let folders = self.index.folders(self.index.store.keys().index()).await?;
                    // Beside those of days there is one for what runs.
                    let is_day = |folder: &&String| !folder.ends_with("running/");
                    self.days.insert(folders.iter().rev().filter(is_day).cloned().collect())
                }
            };
            let Some(day) = days.pop_front() else { return Ok(None) };
            let hours = self.index.folders(day).await?;
            let hours = hours.iter().rev().filter_map(|folder| self.index.store.keys().hour_of(folder));
            self.upcoming.extend(hours.filter(|hour| *hour < self.below));
        }
    }

    /// Those that come next, as far as they are known.
    pub(super) fn ahead(&self, most: usize) -> Vec<Hour> {
        self.upcoming.iter().take(most).copied().collect()
    }
}
