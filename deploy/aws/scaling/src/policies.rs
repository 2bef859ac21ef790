//! The scaling of the workers as the template says it: bounds, policies and their alarms.

use anyhow::{Context, bail, ensure};
use serde::de::DeserializeOwned;

use crate::parser;
use crate::properties::{
    Adjustment, Aggregation, AlarmProperties, Comparison, Missing, PolicyProperties, QueryProperties,
    StatProperties, Step, TargetProperties,
};
use crate::query::{From, Query, Source};
use crate::template::Template;
use crate::{MINUTE, Second};

const TARGET: &str = "WorkerScaling";

/// Everything that decides how many workers there are.
#[derive(Clone, Debug)]
pub struct Scaling {
    /// Fewest tasks.
    pub min: u64,
    /// Most tasks.
    pub max: u64,
    /// The policies, each with the alarms that invoke it.
    pub policies: Vec<Policy>,
}

/// One policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its logical id in the template.
    pub name: String,
    /// How long a change counts as fresh.
    pub cooldown: Second,
    /// What it does when an alarm invokes it.
    pub action: Action,
    /// What invokes it.
    pub alarms: Vec<AlarmRule>,
}

/// What a policy does with a metric.
#[derive(Clone, Debug)]
pub enum Action {
    /// Scales out in proportion to metric and target.
    Track {
        /// What the metric should be.
        target: f64,
    },
    /// Changes by steps.
    Step {
        /// How an adjustment is meant.
        adjustment: Adjustment,
        /// How the alarm's datapoints become one figure.
        aggregation: Aggregation,
        /// The steps, by distance from the alarm's threshold.
        steps: Vec<Step>,
    },
}

/// When an alarm is in ALARM.
#[derive(Clone, Debug)]
pub struct AlarmRule {
    /// The metrics and expressions, in the template's order.
    pub queries: Vec<Query>,
    /// How datapoints are compared with the threshold.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: f64,
    /// So many datapoints are looked at.
    pub periods: usize,
    /// So many of them must breach.
    pub datapoints: usize,
    /// What counts instead of a datapoint that is missing.
    pub missing: Missing,
}

impl Scaling {
    /// Reads the scaling of the workers from a template.
    pub fn from_template(template: &Template) -> anyhow::Result<Self> {
        let target: TargetProperties = parse(template, TARGET)?;
        ensure!(target.service_namespace == "ecs", "{TARGET} does not scale ECS");
        ensure!(target.scalable_dimension == "ecs:service:DesiredCount", "{TARGET} does not scale tasks");
        ensure!(target.resource_id.contains("WorkerService"), "{TARGET} does not scale the workers");
        ensure!(target.min_capacity <= target.max_capacity, "fewest tasks are more than most tasks");
        let mut policies = Vec::new();
        for name in template.names("AWS::ApplicationAutoScaling::ScalingPolicy") {
            let properties: PolicyProperties = parse(template, name)?;
            if properties.scaling_target_id == format!("${{{TARGET}}}") {
                let policy = policy(name, properties, alarms(template, name)?);
                policies.push(policy.with_context(|| format!("in {name}"))?);
            }
        }
        Ok(Self { min: target.min_capacity, max: target.max_capacity, policies })
    }
}

fn policy(name: &str, properties: PolicyProperties, mut alarms: Vec<AlarmRule>) -> anyhow::Result<Policy> {
    let (cooldown, action) = match (properties.policy_type.as_str(), properties.tracking, properties.steps) {
        ("TargetTrackingScaling", Some(tracking), None) => {
            ensure!(tracking.disable_scale_in, "scale-in by target tracking is not simulated");
            ensure!(alarms.is_empty(), "target tracking makes its alarms itself");
            alarms.push(AlarmRule {
                queries: queries(tracking.customized_metric_specification.metrics)?,
                comparison: Comparison::GreaterThanThreshold,
                threshold: tracking.target_value,
                periods: 3,
                datapoints: 3,
                missing: Missing::Missing,
            });
            (tracking.scale_out_cooldown, Action::Track { target: tracking.target_value })
        }
        ("StepScaling", None, Some(steps)) => {
            ensure!(!alarms.is_empty(), "no alarm invokes it");
            let aggregation = steps.metric_aggregation_type;
            let action = Action::Step {
                adjustment: steps.adjustment_type,
                aggregation,
                steps: steps.step_adjustments,
            };
            (steps.cooldown, action)
        }
        (other, ..) => bail!("{other} is not simulated, or its configuration is missing"),
    };
    Ok(Policy { name: name.to_owned(), cooldown, action, alarms })
}

fn alarms(template: &Template, policy: &str) -> anyhow::Result<Vec<AlarmRule>> {
    let action = serde_json::json!({ "Ref": policy });
    let invokes = |name: &&str| {
        template.properties(name)["AlarmActions"].as_array().is_some_and(|actions| actions.contains(&action))
    };
    let names = template.names("AWS::CloudWatch::Alarm").into_iter().filter(invokes);
    names.map(|name| alarm(parse(template, name)?).with_context(|| format!("in {name}"))).collect()
}

fn alarm(properties: AlarmProperties) -> anyhow::Result<AlarmRule> {
    Ok(AlarmRule {
        queries: queries(properties.metrics)?,
        comparison: properties.comparison_operator,
        threshold: properties.threshold,
        periods: properties.evaluation_periods,
        datapoints: properties.datapoints_to_alarm.unwrap_or(properties.evaluation_periods),
        missing: properties.treat_missing_data.unwrap_or(Missing::Missing),
    })
}

fn queries(all: Vec<QueryProperties>) -> anyhow::Result<Vec<Query>> {
    let queries = all.into_iter().map(|query| {
        let from = match (query.expression, query.metric_stat) {
            (Some(text), None) => From::Expression(parser::parse(&text)?),
            (None, Some(stat)) => From::Metric(source(&stat).with_context(|| format!("in {}", query.id))?),
            _ => bail!("{} must be either a metric or an expression", query.id),
        };
        Ok(Query { id: query.id, from, is_result: query.return_data.unwrap_or(true) })
    });
    let queries: Vec<Query> = queries.collect::<anyhow::Result<_>>()?;
    let results = queries.iter().filter(|query| query.is_result).count();
    ensure!(results == 1, "{results} queries return data; an alarm goes by one");
    Ok(queries)
}

fn source(stat: &StatProperties) -> anyhow::Result<Source> {
    ensure!(
        matches!(stat.stat.as_str(), "Average" | "Maximum" | "Minimum"),
        "{} is not simulated",
        stat.stat
    );
    ensure!(stat.period.is_none_or(|period| period == MINUTE), "only periods of a minute are simulated");
    let metric = &stat.metric;
    let source = Source::named(&metric.namespace, &metric.metric_name)?;
    let is = |name: &str, value: &str| metric.dimensions.iter().any(|d| d.name == name && d.value == value);
    let right = match source {
        Source::Visible | Source::InFlight => is("QueueName", "${Queue.QueueName}"),
        Source::Running | Source::Desired => {
            is("ClusterName", "${Cluster}") && is("ServiceName", "${WorkerService.Name}")
        }
    };
    ensure!(right, "{} has the wrong dimensions", metric.metric_name);
    Ok(source)
}

fn parse<T: DeserializeOwned>(template: &Template, name: &str) -> anyhow::Result<T> {
    serde_json::from_value(template.resolved(name)?)
        .with_context(|| format!("{name} is not simulated as it is"))
}
