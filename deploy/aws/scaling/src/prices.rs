//! What tasks cost: Fargate's list prices in us-east-1, in dollars. Other regions are up to a third dearer.
//!
//! 20 GiB of disk are included. What SQS, S3 and CloudWatch ask for each execution does not depend on how the fleet scales,
//! and is left out.

use anyhow::bail;
use badlambda_costs::Architecture;
use badlambda_costs::prices::{GB_HOUR, SPOT_SHARE, VCPU_HOUR};

use crate::template::Template;

/// A task's price and the mix of kinds, as the template has them.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    /// Of one on-demand task, for an hour.
    pub on_demand_hour: f64,
    /// Of one Spot task, for an hour.
    pub spot_hour: f64,
    /// So many tasks are on-demand in any case.
    pub base: u64,
    /// Of those beyond, so many parts are on-demand …
    pub on_demand_weight: f64,
    /// … and so many Spot.
    pub spot_weight: f64,
}

impl Prices {
    /// Reads sizes and mix from the template's parameters.
    pub fn from_template(template: &Template) -> anyhow::Result<Self> {
        let architecture = match template.text("Architecture")? {
            "ARM64" => Architecture::Arm64,
            "X86_64" => Architecture::X86,
            other => bail!("no price is known for the architecture {other}"),
        };
        let vcpus = template.number("WorkerCpu")? / 1024.0;
        let gib = template.number("WorkerMemory")? / 1024.0;
        let on_demand_hour = vcpus * VCPU_HOUR.usd(architecture) + gib * GB_HOUR.usd(architecture);
        Ok(Self {
            on_demand_hour,
            spot_hour: on_demand_hour * SPOT_SHARE,
            base: template.number("OnDemandBase")? as u64,
            on_demand_weight: template.number("OnDemandWeight")?,
            spot_weight: template.number("SpotWeight")?,
        })
    }

    /// Whether the next task is to be Spot, with so many on-demand and Spot tasks there.
    pub fn next_is_spot(&self, on_demand: u64, spot: u64) -> bool {
        let beyond = on_demand.saturating_sub(self.base) as f64;
        on_demand >= self.base
            && self.spot_weight * beyond >= self.on_demand_weight * spot as f64
            && self.spot_weight > 0.0
    }
}
