//! Figures by name, and latencies as percentiles.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// The middle one, of at least one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What was measured, in order.
#[derive(Default)]
pub struct Report {
    figures: Vec<(String, f64, &'static str)>,
}

impl Report {
    /// Adds a figure.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.figures.push((name.into(), value, unit));
    }

    /// Adds the median and the 99th percentile of `latencies`.
    pub fn add_latencies(&mut self, name: &str, mut latencies: Vec<Duration>) {
        latencies.sort_unstable();
        for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
            let index = ((latencies.len() as f64 * share).ceil() as usize).clamp(1, latencies.len()) - 1;
            self.add(format!("{name}, {label}"), latencies[index].as_secs_f64() * 1000.0, "ms");
        }
    }

    /// Prints everything.
    pub fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if as_json {
            let figures: Map<String, Value> = self
                .figures
                .iter()
                .map(|(name, value, unit)| (name.clone(), json!({"value": value, "unit": unit})))
                .collect();
            println!("{}", json!({"cores": cores, "figures": figures}));
            return Ok(());
        }
        println!("{cores} cores");
        let width = self.figures.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        for (name, value, unit) in &self.figures {
            println!("{name:width$}  {value:>10.2} {unit}");
        }
        Ok(())
    }
}
