//! Application Auto Scaling: what an alarm's datapoints make of the number of tasks.

use crate::Second;
use crate::metrics::Metrics;
use crate::policies::{Action, Policy, Scaling};
use crate::properties::{Adjustment, Aggregation, Step};

/// The policies, and what each remembers.
pub struct Autoscaler {
    scaling: Scaling,
    memory: Vec<Memory>,
}

/// What a policy remembers of its last change.
#[derive(Clone, Copy, Default)]
struct Memory {
    until: Second,
    was_out: bool,
    /// How many tasks there were before the change that began the cool-down.
    before: u64,
}

impl Autoscaler {
    /// Nothing has changed yet.
    pub fn new(scaling: Scaling) -> Self {
        let memory = vec![Memory::default(); scaling.policies.len()];
        Self { scaling, memory }
    }

    /// Policy and place of each alarm.
    pub fn alarms(&self) -> Vec<(usize, usize)> {
        let policies = self.scaling.policies.iter().enumerate();
        policies.flat_map(|(policy, it)| (0..it.alarms.len()).map(move |alarm| (policy, alarm))).collect()
    }

    /// Evaluates one alarm; the number of tasks there should be, and the policy's name, where it changes.
    pub fn evaluate(
        &mut self,
        (policy, alarm): (usize, usize),
        metrics: &Metrics,
        now: Second,
        current: u64,
    ) -> anyhow::Result<Option<(u64, &str)>> {
        let rule = &self.scaling.policies[policy];
        let Some(datapoints) = rule.alarms[alarm].breach(metrics, now)? else { return Ok(None) };
        let memory = self.memory[policy];
        let is_fresh = now < memory.until;
        let base = if is_fresh && memory.was_out { memory.before } else { current };
        let Some(wanted) = wanted(rule, rule.alarms[alarm].threshold, &datapoints, base) else {
            return Ok(None);
        };
        let wanted = wanted.clamp(self.scaling.min, self.scaling.max);
        let is_out = wanted > current;
        // What was added within the cool-down counts: less than that is no reason to remove it again.
        let is_blocked = if is_out { false } else { is_fresh || base != current };
        if wanted == current || is_blocked {
            return Ok(None);
        }
        if is_out {
            // A scale-out ends the cool-downs of scale-ins.
            self.memory.iter_mut().filter(|memory| !memory.was_out).for_each(|memory| memory.until = now);
        }
        let before = if is_out { base } else { current };
        self.memory[policy] = Memory { until: now + rule.cooldown, was_out: is_out, before };
        Ok(Some((wanted, &rule.name)))
    }
}

/// How many tasks a policy wants, with `base` of them now; none if no step covers the breach.
fn wanted(policy: &Policy, threshold: f64, datapoints: &[f64], base: u64) -> Option<u64> {
    match &policy.action {
        Action::Track { target } => {
            let metric = datapoints.last()?;
            Some((base as f64 * metric / target).ceil() as u64).filter(|wanted| *wanted > base)
        }
        Action::Step { adjustment, aggregation, steps } => {
            let metric = aggregate(*aggregation, datapoints)?;
            let step = steps.iter().find(|step| step.covers(metric - threshold))?;
            Some(adjust(*adjustment, step.adjustment, base))
        }
    }
}

fn aggregate(aggregation: Aggregation, datapoints: &[f64]) -> Option<f64> {
    let values = datapoints.iter().copied();
    match aggregation {
        Aggregation::Average => Some(values.sum::<f64>() / datapoints.len() as f64),
        Aggregation::Minimum => values.reduce(f64::min),
        Aggregation::Maximum => values.reduce(f64::max),
    }
}

fn adjust(adjustment: Adjustment, by: i64, base: u64) -> u64 {
    match adjustment {
        Adjustment::ExactCapacity => by.max(0) as u64,
        Adjustment::ChangeInCapacity => base.saturating_add_signed(by),
        Adjustment::PercentChangeInCapacity => {
            // Rounded towards zero, but never to nothing.
            let change = base as f64 * by as f64 / 100.0;
            let change =
                if change.abs() < 1.0 { change.signum() * change.abs().ceil() } else { change.trunc() };
            base.saturating_add_signed(change as i64)
        }
    }
}

impl Step {
    /// Above the threshold the lower bound belongs to a step, below it the upper one.
    fn covers(&self, distance: f64) -> bool {
        let (lower, upper) = (self.lower.unwrap_or(f64::NEG_INFINITY), self.upper.unwrap_or(f64::INFINITY));
        if distance >= 0.0 {
            let at_zero = distance == 0.0 && upper == 0.0 && lower < 0.0;
            (lower <= distance && distance < upper) || at_zero
        } else {
            lower < distance && distance <= upper
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_percentages_as_aws_does() {
        let percent = |by, base| adjust(Adjustment::PercentChangeInCapacity, by, base);
        assert_eq!((percent(-10, 1), percent(-10, 25), percent(25, 10), percent(10, 3)), (0, 23, 12, 4));
    }

    #[test]
    fn bounds_of_steps_belong_to_the_side_of_the_threshold() {
        let step = |lower, upper| Step { lower, upper, adjustment: 1 };
        assert!(step(Some(0.0), Some(5.0)).covers(0.0) && !step(Some(0.0), Some(5.0)).covers(5.0));
        assert!(step(None, Some(-0.2)).covers(-0.2) && !step(Some(-0.2), Some(0.0)).covers(-0.2));
        assert!(step(None, Some(0.0)).covers(0.0) && step(Some(5.0), None).covers(1e9));
    }
}
