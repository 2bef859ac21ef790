//! `badlambda cost`: what a million executions cost on AWS, with Bad Lambda and with Lambda. It asks nobody.

use badlambda_costs::prices::{PRICES_ARE, SPOT_SHARE};
use badlambda_costs::{Architecture, MillionCosts, Workload, fixed_costs, formula};
use clap::Args;
use serde::Serialize;

use crate::output::{Failure, OutputArguments, Table};

/// The fields of what is told.
pub const COST_FIELDS: [&str; 9] =
    ["requests", "bytes", "compute", "fixed", "together", "lambda", "lambda_durable", "slots", "assumptions"];

/// A worker's slots, as the template has them.
const SLOTS: u32 = 4;
/// A worker's memory that functions may fill: all but its scratch (`ScratchMib`) and what it needs itself.
const FUNCTIONS_MB: u32 = formula::WORKER_GB as u32 * 1024 - 512 - 128;
/// What Bad Lambda computes for an execution, in milliseconds.
const OWN_CPU_MS: f64 = 1.5;
const SECONDS_A_MONTH: f64 = formula::HOURS * 3600.0;

/// Arguments of `cost`.
#[derive(Debug, Args)]
#[command(
    after_help = "deploy/aws/README.md has the formula, where its prices come from, and more examples.\n\nExample:\n  \
                        $ badlambda cost --run-ms 150 --cpu-ms 20 --per-second 10"
)]
pub struct CostArguments {
    /// How long an execution takes, in milliseconds.
    #[arg(long, value_name = "MS", value_parser = read_positive)]
    run_ms: f64,
    /// How much of that it computes, with the 1.5 ms that Bad Lambda does [default: all].
    #[arg(long, value_name = "MS", value_parser = read_positive)]
    cpu_ms: Option<f64>,
    /// How much memory it needs.
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(48..=10_240))]
    memory_mb: u32,
    /// How many there are a second, on average: adds their share of what the stack costs in any case.
    #[arg(long, value_name = "N", value_parser = read_positive)]
    per_second: Option<f64>,
    /// The function's `store_result`.
    #[arg(long, value_name = "WHICH", default_value = "always", value_parser = ["always", "large"])]
    store_result: String,
    /// Workers, and Lambda, on ARM; the default.
    #[arg(long, conflicts_with = "x86")]
    arm64: bool,
    /// The same on x86_64.
    #[arg(long)]
    x86: bool,
    /// A worker's executions at once [default: 4, or as many as its memory holds]; more, where they need less than that.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    slots: Option<u32>,
    /// The share of the paid time in which workers are busy, up to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = read_share)]
    utilisation: f64,
    #[command(flatten)]
    output: OutputArguments,
}

/// Dollars for a million executions.
#[derive(Serialize)]
struct Cost {
    requests: f64,
    bytes: f64,
    compute: f64,
    /// The share of what the stack costs in any case, where the rate is known.
    fixed: Option<f64>,
    together: f64,
    lambda: f64,
    lambda_durable: f64,
    slots: u32,
    assumptions: Vec<String>,
}

/// Tells the costs, and what was assumed for them.
pub fn cost(arguments: &CostArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&COST_FIELDS)? else { return Ok(()) };
    let slots = slots(arguments)?;
    let cost = Cost::of(arguments, &workload(arguments, slots), slots);
    if output.is_text() {
        eprintln!("{}\n", cost.assumptions.join("\n"));
    }
    output.print_one(&cost, || cost.table().to_string())
}

/// As many as were asked for, or as the template has, where a worker's memory holds them.
fn slots(arguments: &CostArguments) -> Result<u32, Failure> {
    let memory_mb = arguments.memory_mb;
    match (arguments.slots, FUNCTIONS_MB / memory_mb) {
        (Some(slots), _) => Ok(slots),
        (None, 0) => Err(Failure::Usage(format!(
            "a worker of {} GB has {FUNCTIONS_MB} MB for functions, and this one needs {memory_mb}: larger workers \
             (WorkerMemory) are not counted here; deploy/aws/README.md has the formula",
            formula::WORKER_GB
        ))),
        (None, fitting) => Ok(SLOTS.min(fitting)),
    }
}

fn workload(arguments: &CostArguments, slots: u32) -> Workload {
    let cpu_ms = arguments.cpu_ms.unwrap_or(arguments.run_ms.max(OWN_CPU_MS));
    Workload {
        run_seconds: arguments.run_ms / 1000.0,
        cpu_seconds: cpu_ms / 1000.0,
        lambda_mb: arguments.memory_mb.into(),
        small_results_in_record: arguments.store_result == "large",
        architecture: if arguments.x86 { Architecture::X86 } else { Architecture::Arm64 },
        slots: slots.into(),
        utilisation: arguments.utilisation,
    }
}

impl Cost {
    fn of(arguments: &CostArguments, workload: &Workload, slots: u32) -> Self {
        let MillionCosts { requests, bytes, compute, lambda, lambda_durable } = workload.million_costs();
        let a_month = fixed_costs(workload.architecture);
        let fixed = arguments.per_second.map(|rate| a_month / (rate * SECONDS_A_MONTH / 1e6));
        let together = requests + bytes + compute + fixed.unwrap_or(0.0);
        Self {
            requests: rounded(requests),
            bytes: rounded(bytes),
            compute: rounded(compute),
            fixed: fixed.map(rounded),
            together: rounded(together),
            lambda: rounded(lambda),
            lambda_durable: rounded(lambda_durable),
            slots,
            assumptions: assumptions(workload, a_month, fixed.is_some()),
        }
    }

    fn table(&self) -> Table {
        let rows = [
            ("requests", Some(self.requests)),
            ("bytes", Some(self.bytes)),
            ("compute", Some(self.compute)),
            ("fixed", self.fixed),
            ("together", Some(self.together)),
            ("lambda", Some(self.lambda)),
            ("lambda, durable", Some(self.lambda_durable)),
        ];
        let row = |(name, usd): (&str, Option<f64>)| Some(vec![name.to_owned(), format!("{:.2}", usd?)]);
        Table::new(&["a million", "usd"], rows.into_iter().filter_map(row))
    }
}

/// What the figures rest on, a sentence each.
fn assumptions(workload: &Workload, a_month: f64, with_fixed: bool) -> Vec<String> {
    let Workload { run_seconds, cpu_seconds, lambda_mb, slots, utilisation, .. } = workload;
    let (vcpus, gb) = (formula::WORKER_VCPUS, formula::WORKER_GB);
    let (architecture, puts) = (workload.architecture.name(), workload.puts());
    let on_demand = formula::ON_DEMAND_SHARE;
    let fixed = match with_fixed {
        true => format!(
            "The stack costs ${a_month:.2} a month in any case, here shared by {} hours' executions.",
            formula::HOURS
        ),
        false => format!(
            "The ${a_month:.2} a month that the stack costs in any case are left out; --per-second shares them."
        ),
    };
    vec![
        PRICES_ARE.to_owned(),
        format!(
            "An execution takes {} ms and computes for {} of them; it makes {} SQS requests and {puts} PUTs, and nobody polls it.",
            ms(*run_seconds),
            ms(*cpu_seconds),
            formula::SQS_REQUESTS
        ),
        format!(
            "Workers have {vcpus} vCPU ({architecture}), {gb} GB and {slots} slots, and are busy for {utilisation} of the time; \
             {on_demand} of them are on demand, and Spot costs {SPOT_SHARE} of that."
        ),
        fixed,
        format!(
            "On Lambda, with {lambda_mb} MB, it takes {} ms: a whole vCPU comes with {} MB. \"Durable\" adds SQS before it, and a \
             PUT for the result.",
            ms(workload.lambda_seconds()),
            formula::LAMBDA_VCPU_MB
        ),
    ]
}

/// Milliseconds, as people write them.
fn ms(seconds: f64) -> f64 {
    (seconds * 10_000.0).round() / 10.0
}

/// To a hundredth of a cent.
fn rounded(usd: f64) -> f64 {
    (usd * 10_000.0).round() / 10_000.0
}

fn read_positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "write a number, like 150 or 1.5".to_owned())?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("it must be more than 0".to_owned()) }
}

fn read_share(text: &str) -> Result<f64, String> {
    read_positive(text)
        .ok()
        .filter(|share| *share <= 1.0)
        .ok_or_else(|| "write a share of 1, like 0.5".to_owned())
}
