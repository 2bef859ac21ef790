//! The prices that the command `badlambda cost` has, and what it makes of them, held against the page.

use std::collections::BTreeMap;

use badlambda_costs::{Architecture, PRICES, formula, prices};
use serde_json::Value;

use super::{Costs, HOURS, fixed_costs, is_about, number, read, table};
use crate::fixtures::fleet::program;

#[test]
fn the_commands_prices_and_constants_are_those_of_the_page() {
    let page = read("deploy/aws/README.md");
    let costs = Costs::of(&page);
    let prices: BTreeMap<String, f64> =
        PRICES.iter().map(|price| (price.name.to_owned(), price.usd(Architecture::Arm64))).collect();
    assert_eq!(prices, costs.prices);
    let on_x86 = |row: Vec<&str>| {
        let said = row[2].split_once("(X86_64: ").map(|(_, rest)| rest.trim_end_matches(')'));
        number(said.unwrap_or(row[1]))
    };
    let said: Vec<f64> = table(&page, "Prices").into_iter().map(on_x86).collect();
    assert_eq!(PRICES.iter().map(|price| price.usd(Architecture::X86)).collect::<Vec<_>>(), said);
    assert!(page.replace('\n', " ").contains(prices::PRICES_ARE));

    let mix = formula::ON_DEMAND_SHARE + (1.0 - formula::ON_DEMAND_SHARE) * prices::SPOT_SHARE;
    let constants = [
        (formula::SQS_REQUESTS, costs.sqs_requests),
        (formula::PUTS, costs.puts),
        (formula::GETS, costs.gets),
        (formula::LOGGED_BYTES, costs.logged),
        (formula::ENDPOINT_BYTES, costs.through_endpoints),
        (formula::KEPT_BYTES, costs.kept),
        (formula::WORKER_VCPUS, costs.vcpus),
        (formula::WORKER_GB, costs.gb),
        (mix, costs.mix),
    ];
    assert!(constants.iter().all(|(is, said)| is == said), "{constants:?}");
    let together = badlambda_costs::fixed_costs(Architecture::Arm64);
    assert!((together - fixed_costs(&page, &costs)).abs() < 0.001, "{together}");
}

fn cost(arguments: &[&str]) -> Value {
    let output = program("badlambda").arg("cost").args(arguments).args(["--jq", "."]).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_command_says_of_every_example_what_the_page_says() {
    let page = read("deploy/aws/README.md");
    let fixed = fixed_costs(&page, &Costs::of(&page));
    for row in table(&page, "Examples") {
        let ms = |cell: &str| (number(cell) * 1000.0).to_string();
        let arguments = ["--cpu-ms", &ms(row[1]), "--run-ms", &ms(row[2]), "--slots", row[3]];
        // Where a function computes, it costs the same on Lambda with any memory.
        let is = cost(&[&arguments[..], &["--memory-mb", "256"]].concat());
        for (field, cell) in [
            ("requests", row[4]),
            ("bytes", row[5]),
            ("compute", row[6]),
            ("together", row[7]),
            ("lambda", row[10]),
            ("lambda_durable", row[11]),
        ] {
            is_about(cell, is[field].as_f64().unwrap());
        }
        assert_eq!(is["fixed"], Value::Null);
        let hourly = cost(&[&arguments[..], &["--per-second", "0.5"]].concat());
        let share = fixed / (0.5 * HOURS * 3600.0 / 1e6);
        assert!((hourly["fixed"].as_f64().unwrap() - share).abs() < 0.001, "{hourly}");
        let large = cost(&[&arguments[..], &["--store-result", "large"]].concat());
        is_about(row[4], large["requests"].as_f64().unwrap() + 5.0);
    }
}
