//! What both programs count for Prometheus: that it moves, that its labels are few, and that page and dashboard are about
//! the metrics that there are.

mod counted;
mod exposition;
mod expressions;

use badlambda_shared::process::metrics::Description;

/// Every metric that there is.
fn all() -> Vec<Description> {
    [
        &badlambda_shared::process::metrics::METRICS[..],
        &badlambda_api::metrics::METRICS,
        &badlambda_worker::metrics::METRICS,
    ]
    .concat()
}

/// The metric that a series' name belongs to: a histogram has three kinds of series.
fn metric_of(series: &str) -> Description {
    let of = |name: &str| all().into_iter().find(|metric| metric.name == name);
    let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
        of(series.strip_suffix(suffix)?).filter(|metric| metric.kind.name() == "histogram")
    });
    histogram.or_else(|| of(series)).unwrap_or_else(|| panic!("there is no metric {series}"))
}
