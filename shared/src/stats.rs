//! Stats as the API shows them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::function::name::FunctionName;
use crate::timestamp::Timestamp;

/// How the queue stands, and what ended lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetStats {
    /// How many messages there are.
    pub queue: QueueStats,
    /// How many workers there are: those that have told of themselves lately.
    pub workers: u64,
    /// How many messages there were, every 15 seconds of the last 15 minutes, as far as this API was there. The oldest first.
    pub samples: Vec<QueueSample>,
    /// By minute, the oldest first.
    pub minutes: Vec<Period>,
}

/// How many messages there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueStats {
    /// They wait for a worker.
    pub visible: u64,
    /// Their delay is not over.
    pub delayed: u64,
    /// A worker has them.
    pub in_flight: u64,
    /// They were given up.
    pub dead_lettered: u64,
    /// How long the execution waited that began last; null where none has begun in the last 15 minutes.
    pub oldest_seconds: Option<f64>,
}

/// How many messages there were at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueSample {
    /// When.
    pub at: Timestamp,
    /// They waited for a worker.
    pub visible: u64,
    /// Their delay was not over.
    pub delayed: u64,
    /// A worker had them.
    pub in_flight: u64,
    /// How long the execution had waited that had begun last; null where none had begun in the 15 minutes.
    pub oldest_seconds: Option<f64>,
}

/// What ended of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunctionStats {
    /// The function's name.
    pub function: FunctionName,
    /// By five minutes, the oldest first.
    pub periods: Vec<Period>,
    /// By version, the newest first.
    pub versions: Vec<VersionSummary>,
}

/// What ended in a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Period {
    /// When it began.
    pub from: Option<Timestamp>,
    /// What ended in it.
    #[serde(flatten)]
    pub ended: Ended,
}

/// What ended of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionSummary {
    /// Null for what no version was known of.
    pub version: Option<u32>,
    /// What ended of it.
    #[serde(flatten)]
    pub ended: Ended,
}

/// What ended, and how long it waited and ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ended {
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed.
    pub failed: u64,
    /// How many were cancelled.
    pub cancelled: u64,
    /// How many failed, by the kind of their error.
    pub kinds: BTreeMap<Cow<'static, str>, u64>,
    /// Null where nothing was begun.
    pub wait_ms: Option<Percentiles>,
    /// Null where nothing ran.
    pub run_ms: Option<Percentiles>,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Percentiles {
    /// Half of them were no longer.
    pub p50: f64,
    /// Of a hundred, 99 were no longer.
    pub p99: f64,
}
