//! CloudWatch's metrics: one datapoint a minute, which is there only some time after its minute.

use std::collections::{BTreeMap, VecDeque};

use anyhow::bail;
use rand::Rng;

use crate::expression::Figures;
use crate::query::{From, Query, Source};
use crate::{MINUTE, Second};

/// Nothing older is ever looked at: the longest evaluation and what is late.
const KEPT: usize = 90;

/// How long after the end of its minute a datapoint is there, in seconds: of SQS, and of Container Insights.
const SQS_DELAY: std::ops::Range<Second> = 30..120;
const INSIGHTS_DELAY: std::ops::Range<Second> = 30..150;

/// All metrics of one run.
#[derive(Default)]
pub struct Metrics {
    series: BTreeMap<Source, VecDeque<Datapoint>>,
}

struct Datapoint {
    minute: u64,
    there_from: Second,
    value: f64,
}

impl Metrics {
    /// Takes one minute's sample: `[visible, in flight, running, desired]`.
    pub fn sample(&mut self, now: Second, values: [u64; 4], random: &mut impl Rng) {
        let [visible, in_flight, running, desired] = values;
        let end = (now / MINUTE + 1) * MINUTE;
        // Both metrics of one service come together.
        let sqs = end + random.random_range(SQS_DELAY);
        let insights = end + random.random_range(INSIGHTS_DELAY);
        let mut add = |source, value: u64, there_from| {
            let series = self.series.entry(source).or_default();
            series.push_back(Datapoint { minute: now / MINUTE, there_from, value: value as f64 });
            while series.len() > KEPT {
                series.pop_front();
            }
        };
        add(Source::Visible, visible, sqs);
        if in_flight > 0 {
            add(Source::InFlight, in_flight, sqs);
        }
        if running > 0 {
            add(Source::Running, running, insights);
            add(Source::Desired, desired, insights);
        }
    }

    /// The result of `queries` for the last `minutes` minutes, as far as datapoints are there by now.
    pub fn query(&self, queries: &[Query], now: Second, minutes: usize) -> anyhow::Result<Vec<Option<f64>>> {
        let mut ids = BTreeMap::new();
        let mut pending: Vec<&Query> = queries.iter().collect();
        // Expressions may use others wherever they stand; metrics come first.
        pending.sort_by_key(|query| matches!(query.from, From::Expression(_)));
        for query in &pending {
            let figures = match &query.from {
                From::Metric(source) => Figures::Series(self.last(*source, now, minutes)),
                From::Expression(expression) => expression.evaluate(&ids)?,
            };
            if query.is_result {
                let Figures::Series(series) = figures else { bail!("{} is a constant", query.id) };
                return Ok(series);
            }
            ids.insert(query.id.clone(), figures);
        }
        bail!("no query returns data")
    }

    fn last(&self, source: Source, now: Second, minutes: usize) -> Vec<Option<f64>> {
        let mut values = vec![None; minutes];
        let first = (now / MINUTE + 1).saturating_sub(minutes as u64);
        let series = self.series.get(&source).into_iter().flatten();
        for point in series.filter(|point| point.there_from <= now && point.minute >= first) {
            values[(point.minute - first) as usize] = Some(point.value);
        }
        values
    }
}
