//! AWS's list prices in us-east-1, in US dollars, without free tiers, taxes and discounts. The page names the sources.

/// Which prices these are.
pub const PRICES_ARE: &str = "List prices of us-east-1 in US dollars, from AWS's pricing pages as published in the first half \
of 2026; without free tiers, taxes, Savings Plans and volume discounts.";

/// Spot's price as a share of the on-demand price. AWS says "up to 70 %" less, and the price moves.
pub const SPOT_SHARE: f64 = 0.35;

/// Of which kind the CPU is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel's or AMD's.
    X86,
}

impl Architecture {
    /// As the template calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "ARM64",
            Self::X86 => "X86_64",
        }
    }
}

/// One price.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// Its name on the page.
    pub name: &'static str,
    arm64: f64,
    x86: f64,
}

impl Price {
    const fn of(name: &'static str, usd: f64) -> Self {
        Self { name, arm64: usd, x86: usd }
    }

    const fn by_architecture(name: &'static str, arm64: f64, x86: f64) -> Self {
        Self { name, arm64, x86 }
    }

    /// In dollars.
    pub const fn usd(&self, architecture: Architecture) -> f64 {
        match architecture {
            Architecture::Arm64 => self.arm64,
            Architecture::X86 => self.x86,
        }
    }
}

macro_rules! prices {
    ($($(#[$doc:meta])* $constant:ident = $price:expr;)*) => {
        $($(#[$doc])* pub const $constant: Price = $price;)*

        /// Every price there is.
        pub const PRICES: &[Price] = &[$($constant),*];
    };
}

prices! {
    /// A vCPU of Fargate, Linux, an hour.
    VCPU_HOUR = Price::by_architecture("vcpu-hour", 0.03238, 0.04048);
    /// A GB of Fargate's memory, Linux, an hour.
    GB_HOUR = Price::by_architecture("gb-hour", 0.00356, 0.004445);
    /// A million requests of a standard queue, 64 KiB each.
    SQS_MILLION = Price::of("sqs-million", 0.40);
    /// A million PUTs.
    PUT_MILLION = Price::of("put-million", 5.00);
    /// A million GETs.
    GET_MILLION = Price::of("get-million", 0.40);
    /// A GB stored for a month.
    S3_GB = Price::of("s3-gb", 0.023);
    /// A GB of logs taken in.
    LOG_GB = Price::of("log-gb", 0.50);
    /// A custom metric, a month.
    METRIC = Price::of("metric", 0.30);
    /// A metric that an alarm looks at, a month.
    ALARM_METRIC = Price::of("alarm-metric", 0.10);
    /// An interface endpoint in one availability zone, an hour.
    ENDPOINT_HOUR = Price::of("endpoint-hour", 0.01);
    /// A GB through an interface endpoint.
    ENDPOINT_GB = Price::of("endpoint-gb", 0.01);
    /// An Application Load Balancer, an hour.
    BALANCER_HOUR = Price::of("balancer-hour", 0.0225);
    /// A secret, a month.
    SECRET = Price::of("secret", 0.40);
    /// A GB of images, a month.
    ECR_GB = Price::of("ecr-gb", 0.10);
    /// A million requests of Lambda.
    LAMBDA_MILLION = Price::of("lambda-million", 0.20);
    /// A GB-second of Lambda.
    LAMBDA_GB_SECOND = Price::by_architecture("lambda-gb-second", 0.0000133334, 0.0000166667);
}
