//! What a million executions cost, here and on AWS Lambda, and what the stack costs without any.

use crate::prices::{
    ALARM_METRIC, Architecture, BALANCER_HOUR, ECR_GB, ENDPOINT_GB, ENDPOINT_HOUR, GB_HOUR, GET_MILLION,
    LAMBDA_GB_SECOND, LAMBDA_MILLION, LOG_GB, METRIC, PUT_MILLION, Price, S3_GB, SECRET, SPOT_SHARE,
    SQS_MILLION, VCPU_HOUR,
};

/// A month's.
pub const HOURS: f64 = 730.0;
/// Requests of SQS for each execution: measured under load at AWS's latencies.
pub const SQS_REQUESTS: f64 = 0.34;
/// PUTs for each execution: its result and its record.
pub const PUTS: f64 = 2.0;
/// GETs for each execution that nobody polls.
pub const GETS: f64 = 0.0;
/// Bytes that are logged of each execution.
pub const LOGGED_BYTES: f64 = 400.0;
/// Bytes of each execution that go through interface endpoints.
pub const ENDPOINT_BYTES: f64 = 4_000.0;
/// Bytes of each execution that are kept for a month.
pub const KEPT_BYTES: f64 = 3_000.0;
/// A worker's vCPUs, as the template has them.
pub const WORKER_VCPUS: f64 = 1.0;
/// A worker's memory in GB, as the template has it.
pub const WORKER_GB: f64 = 4.0;
/// The share of tasks that are on demand; the others are Spot.
pub const ON_DEMAND_SHARE: f64 = 0.25;
/// Lambda gives a function this much memory with a whole vCPU, and less of a vCPU with less
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
pub const LAMBDA_VCPU_MB: f64 = 1769.0;

/// What executions are like, and what runs them.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Wall clock of an execution, in seconds.
    pub run_seconds: f64,
    /// CPU time of an execution, ours included.
    pub cpu_seconds: f64,
    /// A function's memory on Lambda, in MB.
    pub lambda_mb: f64,
    /// Whether small results stand in the record alone (`store_result: large`).
    pub small_results_in_record: bool,
    /// Of workers, and of Lambda.
    pub architecture: Architecture,
    /// A worker's executions at once.
    pub slots: f64,
    /// The share of the paid time in which slots or cores are busy.
    pub utilisation: f64,
}

/// What a million executions cost, in dollars.
#[derive(Clone, Copy, Debug)]
pub struct MillionCosts {
    /// SQS and S3.
    pub requests: f64,
    /// What is logged, sent and kept.
    pub bytes: f64,
    /// The workers' time.
    pub compute: f64,
    /// Lambda alone.
    pub lambda: f64,
    /// Lambda with SQS in front of it, and a PUT for the result.
    pub lambda_durable: f64,
}

impl Workload {
    /// What a million of these executions cost.
    pub fn million_costs(&self) -> MillionCosts {
        let architecture = self.architecture;
        let usd = |price: Price| price.usd(architecture);
        let sqs = SQS_REQUESTS * usd(SQS_MILLION);
        // A million times so many bytes are as many thousandths of a GB.
        let bytes = LOGGED_BYTES * usd(LOG_GB) + ENDPOINT_BYTES * usd(ENDPOINT_GB) + KEPT_BYTES * usd(S3_GB);
        let worker_hour = WORKER_VCPUS * usd(VCPU_HOUR) + WORKER_GB * usd(GB_HOUR);
        let mix = ON_DEMAND_SHARE + (1.0 - ON_DEMAND_SHARE) * SPOT_SHARE;
        let worker_seconds =
            (self.cpu_seconds / WORKER_VCPUS).max(self.run_seconds / self.slots) / self.utilisation;
        let gb_seconds = self.lambda_mb / 1024.0 * self.lambda_seconds() * 1e6;
        let lambda = usd(LAMBDA_MILLION) + gb_seconds * usd(LAMBDA_GB_SECOND);
        MillionCosts {
            requests: sqs + self.puts() * usd(PUT_MILLION) + GETS * usd(GET_MILLION),
            bytes: bytes / 1000.0,
            compute: worker_seconds * worker_hour / 3600.0 * mix * 1e6,
            lambda,
            lambda_durable: lambda + sqs + usd(PUT_MILLION),
        }
    }

    /// PUTs for each execution.
    pub fn puts(&self) -> f64 {
        if self.small_results_in_record { PUTS - 1.0 } else { PUTS }
    }

    /// How long an execution takes on Lambda, where CPU comes with memory.
    pub fn lambda_seconds(&self) -> f64 {
        self.run_seconds.max(self.cpu_seconds * LAMBDA_VCPU_MB / self.lambda_mb)
    }
}

/// What the stack is made of, by the default parameters: how much of which price, in the order of the page.
pub const PARTS: &[(f64, Price)] = &[
    (12.0, ENDPOINT_HOUR),
    (1.0, BALANCER_HOUR),
    (0.5, VCPU_HOUR),
    (1.0, GB_HOUR),
    (1.0, VCPU_HOUR),
    (4.0, GB_HOUR),
    (60.0, METRIC),
    (10.0, METRIC),
    (30.0, ALARM_METRIC),
    (1.0, SECRET),
    (2.0, ECR_GB),
];

/// What the stack costs a month without any execution, in dollars, each part in whole cents.
pub fn fixed_costs(architecture: Architecture) -> f64 {
    let part = |(quantity, price): &(f64, Price)| {
        let hours = if price.name.ends_with("-hour") { HOURS } else { 1.0 };
        (quantity * price.usd(architecture) * hours * 100.0).round() / 100.0
    };
    PARTS.iter().map(part).sum()
}
