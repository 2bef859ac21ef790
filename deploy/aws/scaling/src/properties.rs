//! The properties of the resources of scaling, as CloudFormation calls them. One that is not listed here is an error.

#![allow(missing_docs)]

use serde::Deserialize;
use serde_json::Value;

use crate::Second;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TargetProperties {
    pub service_namespace: String,
    pub scalable_dimension: String,
    pub resource_id: String,
    pub min_capacity: u64,
    pub max_capacity: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PolicyProperties {
    #[serde(rename = "PolicyName")]
    _policy_name: String,
    pub policy_type: String,
    pub scaling_target_id: String,
    #[serde(rename = "TargetTrackingScalingPolicyConfiguration")]
    pub tracking: Option<TrackingProperties>,
    #[serde(rename = "StepScalingPolicyConfiguration")]
    pub steps: Option<StepProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TrackingProperties {
    pub target_value: f64,
    pub disable_scale_in: bool,
    pub scale_out_cooldown: Second,
    pub customized_metric_specification: MetricsProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MetricsProperties {
    pub metrics: Vec<QueryProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StepProperties {
    pub adjustment_type: Adjustment,
    pub metric_aggregation_type: Aggregation,
    pub cooldown: Second,
    pub step_adjustments: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AlarmProperties {
    #[serde(rename = "AlarmDescription")]
    _description: Option<String>,
    #[serde(rename = "AlarmName")]
    _name: Option<Value>,
    #[serde(rename = "AlarmActions")]
    _actions: Vec<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
    pub comparison_operator: Comparison,
    pub threshold: f64,
    pub evaluation_periods: usize,
    pub datapoints_to_alarm: Option<usize>,
    pub treat_missing_data: Option<Missing>,
    pub metrics: Vec<QueryProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct QueryProperties {
    pub id: String,
    #[serde(rename = "Label")]
    _label: Option<String>,
    pub expression: Option<String>,
    pub metric_stat: Option<StatProperties>,
    pub return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StatProperties {
    pub stat: String,
    pub period: Option<Second>,
    pub metric: MetricProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MetricProperties {
    pub namespace: String,
    pub metric_name: String,
    pub dimensions: Vec<DimensionProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DimensionProperties {
    pub name: String,
    pub value: String,
}

/// `AdjustmentType`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[allow(missing_docs)]
pub enum Adjustment {
    ChangeInCapacity,
    ExactCapacity,
    PercentChangeInCapacity,
}

/// `MetricAggregationType`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[allow(missing_docs)]
pub enum Aggregation {
    Average,
    Minimum,
    Maximum,
}

/// `StepAdjustment`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// None is minus infinity.
    #[serde(rename = "MetricIntervalLowerBound")]
    pub lower: Option<f64>,
    /// None is infinity.
    #[serde(rename = "MetricIntervalUpperBound")]
    pub upper: Option<f64>,
    /// Tasks, or percent.
    #[serde(rename = "ScalingAdjustment")]
    pub adjustment: i64,
}

/// `ComparisonOperator`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[allow(missing_docs)]
pub enum Comparison {
    GreaterThanOrEqualToThreshold,
    GreaterThanThreshold,
    LessThanOrEqualToThreshold,
    LessThanThreshold,
}

/// `TreatMissingData`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum Missing {
    NotBreaching,
    Missing,
}
