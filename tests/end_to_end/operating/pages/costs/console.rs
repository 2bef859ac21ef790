//! What the console says that an execution costs, held against the formula that `badlambda cost` has.

use std::process::Command;

use badlambda_costs::{Architecture, Workload};

use super::read;

/// The console's own module, with `input` as an execution's record.
fn said_by_console(input: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    // Node takes a file for a module by its name.
    std::fs::write(folder.path().join("cost.mjs"), read("api/console/run/cost.js")).unwrap();
    let script = format!("import('./cost.mjs').then(({{ costOf }}) => console.log(costOf({input})))");
    let output = Command::new("node").args(["-e", &script]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn the_console_counts_as_the_formula_does() {
    for (run_ms, cpu_ms, in_record) in [(2.0, 1.0, false), (500.0, 20.0, true), (90_000.0, 60_000.0, false)] {
        let workload = Workload {
            run_seconds: run_ms / 1000.0,
            // The worker's own.
            cpu_seconds: (cpu_ms + 1.5) / 1000.0,
            lambda_mb: 256.0,
            small_results_in_record: in_record,
            architecture: Architecture::Arm64,
            slots: 4.0,
            utilisation: 0.5,
        };
        let costs = workload.million_costs();
        let of_one = (costs.requests + costs.bytes + costs.compute) / 1e6;
        let result_url = if in_record { "null" } else { "'https://result'" };
        let said = said_by_console(&format!(
            "{{ usage: {{ wall_ms: {run_ms}, cpu_ms: {cpu_ms} }}, result_url: {result_url}, logs_url: null, attempts: 1 }}"
        ));
        assert!((said - of_one).abs() < of_one * 1e-6, "{said} instead of {of_one}");
    }
}
