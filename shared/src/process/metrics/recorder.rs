//! The process's registry of metrics, and its text for Prometheus.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::Unit;
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio_util::sync::CancellationToken;

use super::{Description, Kind, METRICS};

/// The media type of what [`render`] makes: version 0.0.4 of Prometheus's text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the buckets for durations, in seconds: from a fork to an hour. They are the same everywhere, so that
/// the steps of an execution can be compared.
const SECONDS: [f64; 19] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
    900.0, 3600.0,
];
/// Upper bounds of the buckets for messages in a call, of which SQS allows ten.
const MESSAGES: [f64; 8] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0];
/// How often samples are sorted into buckets. Until then they are kept one by one.
const SORT_EVERY: Duration = Duration::from_secs(5);

/// Where the process counts, once it has [started](start) to.
static REGISTRY: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count, if this process does not yet, and describes these metrics and those that all have. What is counted
/// before is lost.
pub fn start(metrics: &[Description]) {
    REGISTRY.get_or_init(|| {
        let installed = build().map_err(|error| error.to_string()).and_then(|recorder| {
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).map_err(|error| error.to_string())?;
            Ok(handle)
        });
        installed.inspect_err(|error| tracing::error!(error, "nothing is counted for /metrics")).ok()
    });
    METRICS.iter().chain(metrics).for_each(describe);
}

/// Everything that was counted, in Prometheus's text format.
pub fn render() -> String {
    REGISTRY.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// Keeps what histograms hold small, also where nobody asks for it, until `stop`.
pub async fn keep_up(stop: CancellationToken) {
    while tokio::time::timeout(SORT_EVERY, stop.cancelled()).await.is_err() {
        if let Some(Some(handle)) = REGISTRY.get() {
            handle.run_upkeep();
        }
    }
}

fn build() -> Result<PrometheusRecorder, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_messages".to_owned()), &MESSAGES)?;
    Ok(builder.build_recorder())
}

fn describe(metric: &Description) {
    let unit = if metric.name.ends_with("_seconds") { Unit::Seconds } else { Unit::Count };
    match metric.kind {
        Kind::Counter => metrics::describe_counter!(metric.name, unit, metric.help),
        Kind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.help),
        Kind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.help),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::metrics::{Counter, Gauge, Histogram};

    static COUNTER: Counter<2> = Counter::new("badlambda_test_total", ["one", "two"], "a counter");
    static GAUGE: Gauge = Gauge::new("badlambda_test", "a gauge");
    static TIME: Histogram<1> = Histogram::new("badlambda_test_seconds", ["one"], "a histogram");

    #[test]
    fn what_is_counted_is_told_in_prometheus_text() {
        let recorder = build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            [COUNTER.description(), GAUGE.description(), TIME.description()].iter().for_each(describe);
            COUNTER.count(["a", "b"]);
            COUNTER.add(["a", "b"], 2);
            let counted = GAUGE.count(4);
            drop(GAUGE.count(3));
            TIME.record(["a"], Duration::from_millis(3));
            let text = recorder.handle().render();
            drop(counted);
            for line in [
                "# HELP badlambda_test_total a counter\n# TYPE badlambda_test_total counter\n",
                "badlambda_test_total{one=\"a\",two=\"b\"} 3\n",
                "# TYPE badlambda_test gauge\nbadlambda_test 4\n",
                "# TYPE badlambda_test_seconds histogram\n",
                "badlambda_test_seconds_bucket{one=\"a\",le=\"0.0025\"} 0\n",
                "badlambda_test_seconds_bucket{one=\"a\",le=\"0.005\"} 1\n",
                "badlambda_test_seconds_sum{one=\"a\"} 0.003\n",
            ] {
                assert!(text.contains(line), "{line}{text}");
            }
            assert!(recorder.handle().render().contains("badlambda_test 0\n"));
        });
    }

    #[test]
    fn starting_again_changes_nothing() {
        start(&[]);
        COUNTER.count(["before", "it"]);
        start(&[]);
        assert!(render().contains("badlambda_test_total{one=\"before\",two=\"it\"} 1\n"), "{}", render());
    }
}
