//! The cost tables of deploy/aws/README.md, made anew from the prices and constants that the page gives.

use std::collections::BTreeMap;

use super::{read, table};

mod command;
mod console;

/// A month's.
const HOURS: f64 = 730.0;

fn number(cell: &str) -> f64 {
    let digits = cell.replace([',', '$', '*', ' '], "");
    digits.parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

/// Prices and constants of the page's formula.
struct Costs {
    prices: BTreeMap<String, f64>,
    sqs_requests: f64,
    puts: f64,
    gets: f64,
    logged: f64,
    through_endpoints: f64,
    kept: f64,
    vcpus: f64,
    gb: f64,
    mix: f64,
}

impl Costs {
    fn of(page: &str) -> Self {
        let row = |row: Vec<&str>| (row[0].trim_matches('`').to_owned(), number(row[1]));
        let prices = table(page, "Prices").into_iter().map(row).collect();
        let constants: BTreeMap<&str, &str> =
            table(page, "The formula").into_iter().map(|row| (row[0], row[1])).collect();
        let (puts, gets) = constants["PUTs, GETs"].split_once(", ").unwrap();
        let (vcpus, gb) = constants["worker"].split_once(" vCPU, ").unwrap();
        Self {
            prices,
            sqs_requests: number(constants["SQS requests"]),
            puts: number(puts),
            gets: number(gets),
            logged: number(constants["bytes logged"]),
            through_endpoints: number(constants["bytes through endpoints"]),
            kept: number(constants["bytes kept for a month"]),
            vcpus: number(vcpus),
            gb: number(gb.trim_end_matches(" GB")),
            mix: number(constants["mix"]),
        }
    }

    fn price(&self, name: &str) -> f64 {
        self.prices[name]
    }

    fn worker_hour(&self) -> f64 {
        self.vcpus * self.price("vcpu-hour") + self.gb * self.price("gb-hour")
    }

    fn requests(&self) -> f64 {
        self.sqs_requests * self.price("sqs-million")
            + self.puts * self.price("put-million")
            + self.gets * self.price("get-million")
    }

    /// A million times so many bytes are as many thousandths of a GB.
    fn bytes(&self) -> f64 {
        (self.logged * self.price("log-gb")
            + self.through_endpoints * self.price("endpoint-gb")
            + self.kept * self.price("s3-gb"))
            / 1000.0
    }

    fn compute(&self, example: &Example, utilisation: f64, mix: f64) -> f64 {
        let seconds = (example.cpu / self.vcpus).max(example.wall / example.slots);
        seconds / utilisation * self.worker_hour() / 3600.0 * mix * 1e6
    }

    fn lambda(&self, example: &Example) -> f64 {
        let gb_seconds = example.lambda_mb / 1024.0 * example.lambda_seconds * 1e6;
        self.price("lambda-million") + gb_seconds * self.price("lambda-gb-second")
    }
}

struct Example {
    cpu: f64,
    wall: f64,
    slots: f64,
    lambda_mb: f64,
    lambda_seconds: f64,
}

impl Example {
    fn of(row: &[&str]) -> Self {
        Self {
            cpu: number(row[1]),
            wall: number(row[2]),
            slots: number(row[3]),
            lambda_mb: number(row[8]),
            lambda_seconds: number(row[9]),
        }
    }
}

#[track_caller]
fn is_about(said: &str, is: f64) {
    assert!((number(said) - is).abs() <= 0.0051, "the page says {said}, and it is {is:.4}");
}

/// What the stack costs a month without any execution, as the page adds it up.
fn fixed_costs(page: &str, costs: &Costs) -> f64 {
    let mut sum = 0.0;
    for row in table(page, "What is made") {
        if row[0] == "**together**" {
            is_about(row[3], sum);
            return sum;
        }
        let is = match row[2].split_once(" × ") {
            None => 0.0,
            Some((quantity, name)) => {
                let name = name.trim_matches('`');
                let hours = if name.ends_with("-hour") { HOURS } else { 1.0 };
                number(quantity) * costs.price(name) * hours
            }
        };
        is_about(row[3], is);
        sum += number(row[3]);
    }
    panic!("the table adds nothing up");
}

#[test]
fn quantities_are_those_of_the_template() {
    let (page, template) = (read("deploy/aws/README.md"), read("deploy/aws/badlambda.yaml"));
    let quantity = |price: &str| {
        let rows = table(&page, "What is made");
        let of_price = |row: &Vec<&str>| row[2].ends_with(&format!("× `{price}`"));
        let row = rows.into_iter().find(of_price).unwrap();
        number(row[2].split(' ').next().unwrap())
    };
    let zones = template.matches("    Type: AWS::EC2::Subnet\n").count();
    let endpoints = template.matches("VpcEndpointType: Interface\n").count() * zones;
    assert_eq!(quantity("endpoint-hour"), endpoints as f64);
    // An alarm looks at one metric, or at those that it names, and target tracking has an alarm of its own.
    let looks = |line| {
        let blocks = blocks(&template);
        let looks = blocks.iter().filter(|block| block.contains(line));
        looks.map(|block| block.matches("MetricStat:").count().max(1)).sum::<usize>()
    };
    let alarms = looks("Type: AWS::CloudWatch::Alarm\n") + looks("PolicyType: TargetTrackingScaling\n");
    assert_eq!(quantity("alarm-metric"), alarms as f64);
}

/// The template's resources, as text.
fn blocks(template: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in template.split("\nResources:\n").nth(1).unwrap().lines() {
        if line.starts_with("  ") && !line.starts_with("   ") && !line.starts_with("  #") {
            blocks.push(String::new());
        }
        let block = blocks.last_mut().unwrap();
        block.push_str(line);
        block.push('\n');
    }
    blocks
}

#[test]
fn costs_are_what_the_formula_makes_of_the_prices() {
    let page = read("deploy/aws/README.md");
    let costs = Costs::of(&page);
    let fixed = fixed_costs(&page, &costs);
    assert!(page.contains(&format!("here ${fixed:.2} a month does")), "{fixed:.2}");
    assert!(page.contains(&format!("${:.5} an hour on demand", costs.worker_hour())));
    let mut examples = vec![];
    for row in table(&page, "Examples") {
        let example = Example::of(&row);
        let compute = costs.compute(&example, 0.5, costs.mix);
        is_about(row[4], costs.requests());
        is_about(row[5], costs.bytes());
        is_about(row[6], compute);
        is_about(row[7], costs.requests() + costs.bytes() + compute);
        is_about(row[10], costs.lambda(&example));
        let durable = costs.sqs_requests * costs.price("sqs-million") + costs.price("put-million");
        is_about(row[11], costs.lambda(&example) + durable);
        examples.push((row[0], example));
    }
    let thresholds = table(&page, "Against Lambda");
    assert_eq!(thresholds.len(), examples.len());
    for (row, (name, example)) in thresholds.iter().zip(&examples) {
        assert_eq!(row[0], *name);
        let columns = [(0.5, costs.mix), (0.8, costs.mix), (0.5, 1.0), (0.8, 1.0)];
        for (said, (utilisation, mix)) in row[1..].iter().zip(columns) {
            let ours = costs.requests() + costs.bytes() + costs.compute(example, utilisation, mix);
            let saved = costs.lambda(example) - ours;
            let is = (saved > 0.0).then(|| two_digits(fixed / saved * 1e6));
            let said = (*said != "never").then(|| number(said));
            assert_eq!(said, is, "{name} at {utilisation} and {mix}");
        }
    }
}

#[test]
fn a_map_costs_what_its_requests_and_its_compute_do() {
    let page = read("deploy/aws/README.md");
    let costs = Costs::of(&page);
    let hello = Example::of(&table(&page, "Examples")[0]);
    let mut sum = 0.0;
    for row in table(&page, "Maps") {
        let is = match (row[0], row[2].trim_matches('`')) {
            ("**together**", _) => sum,
            ("compute", _) => costs.compute(&hello, 0.5, costs.mix),
            // A million items are a thousand times so many requests.
            (_, price) => number(row[1]) / 1000.0 * costs.price(price),
        };
        assert!((number(row[3]) - is).abs() <= 0.00051, "the page says {}, and it is {is:.5}", row[3]);
        sum += is;
    }
}

/// Rounded to two significant digits.
fn two_digits(number: f64) -> f64 {
    let magnitude = 10f64.powf(number.log10().floor() - 1.0);
    (number / magnitude).round() * magnitude
}
