//! CloudWatch's alarms.

use crate::Second;
use crate::metrics::Metrics;
use crate::policies::AlarmRule;
use crate::properties::{Comparison, Missing};

/// So many minutes beyond the evaluation periods are looked at for datapoints that are late.
const LATE: usize = 5;

impl AlarmRule {
    /// The datapoints that it is in ALARM by, oldest first; none if it is not.
    ///
    /// It goes by the newest datapoints that exist. Where fewer exist than it looks at, those that are missing count as
    /// the template says.
    pub fn breach(&self, metrics: &Metrics, now: Second) -> anyhow::Result<Option<Vec<f64>>> {
        let series = metrics.query(&self.queries, now, self.periods + LATE)?;
        let mut newest: Vec<f64> = series.into_iter().rev().flatten().take(self.periods).collect();
        newest.reverse();
        if newest.len() < self.periods && self.missing == Missing::Missing {
            return Ok(None);
        }
        let breaching = newest.iter().filter(|value| self.is_breached_by(**value)).count();
        Ok((breaching >= self.datapoints).then_some(newest))
    }

    fn is_breached_by(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::GreaterThanOrEqualToThreshold => value >= self.threshold,
            Comparison::GreaterThanThreshold => value > self.threshold,
            Comparison::LessThanOrEqualToThreshold => value <= self.threshold,
            Comparison::LessThanThreshold => value < self.threshold,
        }
    }
}
