//! Adding up what ended, by time and by version.

use std::borrow::Cow;
use std::collections::BTreeMap;

use badlambda_shared::execution::Status;
use badlambda_shared::index::Row;
use badlambda_shared::stats::{Ended, Percentiles, Period, VersionSummary};
use badlambda_shared::timestamp::Timestamp;

/// What ended in a number of periods, and of each version.
pub(super) struct Summaries {
    since_ms: i64,
    each_ms: i64,
    periods: Vec<Summary>,
    versions: BTreeMap<Option<u32>, Summary>,
    /// When attempts began, and how long their executions had waited by then, in milliseconds: the last one of every
    /// second.
    begun: BTreeMap<i64, (i64, f64)>,
}

/// What ended, and how long it waited and ran, in milliseconds.
#[derive(Clone, Default)]
struct Summary {
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    kinds: BTreeMap<Cow<'static, str>, u64>,
    waits: Vec<f64>,
    runs: Vec<f64>,
}

impl Summaries {
    pub(super) fn new(since_ms: i64, each_ms: i64, count: i64) -> Self {
        let periods = vec![Summary::default(); usize::try_from(count).unwrap_or(0)];
        Self { since_ms, each_ms, periods, versions: BTreeMap::new(), begun: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, row: &Row) {
        let period = usize::try_from((row.at_ms - self.since_ms).div_euclid(self.each_ms));
        let Some(period) = period.ok().and_then(|period| self.periods.get_mut(period)) else { return };
        period.add(row);
        self.versions.entry(row.version()).or_default().add(row);
        if let Some(started_ms) = row.started_ms() {
            let begun = (started_ms, (started_ms - row.submitted_ms()) as f64);
            let last = self.begun.entry(started_ms.div_euclid(1000)).or_insert(begun);
            if last.0 < started_ms {
                *last = begun;
            }
        }
    }

    /// How long the execution had waited that began last before a time, in milliseconds, to the second.
    pub(super) fn wait_ms_before(&self, at_ms: i64) -> Option<f64> {
        self.begun.range(..at_ms.div_euclid(1000)).next_back().map(|(_, (_, waited))| *waited)
    }

    /// The oldest first.
    pub(super) fn by_period(&self) -> Vec<Period> {
        let begins = (0..).map(|n| Timestamp::from_unix_ms(self.since_ms + n * self.each_ms));
        begins.zip(&self.periods).map(|(from, period)| Period { from, ended: period.ended() }).collect()
    }

    /// The newest first. Null stands for what no version was known of.
    pub(super) fn by_version(&self) -> Vec<VersionSummary> {
        self.versions
            .iter()
            .rev()
            .map(|(version, summary)| VersionSummary { version: *version, ended: summary.ended() })
            .collect()
    }
}

impl Summary {
    fn add(&mut self, row: &Row) {
        match row.status {
            Status::Succeeded => self.succeeded += 1,
            Status::Failed => self.failed += 1,
            Status::Cancelled => self.cancelled += 1,
            Status::Queued | Status::Running => {}
        }
        if let Some(kind) = row.kind {
            *self.kinds.entry(kind.name().into()).or_default() += 1;
        }
        self.waits.extend(row.started_ms().map(|started_ms| (started_ms - row.submitted_ms()) as f64));
        self.runs.extend(row.usage().map(|usage| usage.wall_ms));
    }

    fn ended(&self) -> Ended {
        Ended {
            succeeded: self.succeeded,
            failed: self.failed,
            cancelled: self.cancelled,
            kinds: self.kinds.clone(),
            wait_ms: percentiles(&self.waits),
            run_ms: percentiles(&self.runs),
        }
    }
}

/// `None` where there is nothing.
fn percentiles(values: &[f64]) -> Option<Percentiles> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let index = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1);
        values.get(index).copied()
    };
    Some(Percentiles { p50: at(0.5)?, p99: at(0.99)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_there_were() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentiles(&hundred), Some(Percentiles { p50: 50.0, p99: 99.0 }));
        assert_eq!(percentiles(&[7.0]), Some(Percentiles { p50: 7.0, p99: 7.0 }));
        assert_eq!(percentiles(&[]), None);
    }
}
