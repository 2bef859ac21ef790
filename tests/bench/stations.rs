//! Where the time of a waited execution goes, at AWS's latencies: traces of the calls of api and worker, put side by side.

use std::time::{Duration, Instant};

use badlambda_tests::faults::TracedCall;

use crate::report::Report;

/// The stations on the way, in their order. The last one keeps nobody waiting.
const STATIONS: [&str; 7] =
    ["submit", "queue and receive", "start and run", "store result", "store record", "answer", "delete"];

/// One execution, as its client saw it, with the calls that were made meanwhile.
pub struct Traced {
    pub submitted_at: Instant,
    pub answered_at: Instant,
    pub by_api: Vec<TracedCall>,
    pub by_worker: Vec<TracedCall>,
}

impl Traced {
    /// How long each station took; `None` where a call is not in the trace.
    fn stations(&self) -> Option<[Duration; STATIONS.len()]> {
        let Self { submitted_at, answered_at, .. } = *self;
        let called = |calls: &[TracedCall], operation: &str, since: Instant| {
            let mut later =
                calls.iter().filter(move |call| call.operation == operation && call.answered_at > since);
            later.next().cloned()
        };
        let sent = called(&self.by_api, "SendMessageBatch", submitted_at)?;
        let received = called(&self.by_worker, "ReceiveMessage", sent.asked_at)?;
        let first_put = called(&self.by_worker, "PutObject", received.answered_at)?;
        let puts = self.by_worker.iter().filter(|call| call.operation == "PutObject");
        let record = puts.max_by_key(|put| put.asked_at)?;
        let deleted = called(&self.by_worker, "DeleteMessageBatch", record.answered_at)?;
        Some([
            sent.asked_at.duration_since(submitted_at),
            received.answered_at.duration_since(sent.asked_at),
            first_put.asked_at.duration_since(received.answered_at),
            record.asked_at.duration_since(first_put.asked_at),
            record.answered_at.duration_since(record.asked_at),
            answered_at.saturating_duration_since(record.answered_at),
            deleted.answered_at.duration_since(record.answered_at),
        ])
    }
}

/// Adds the median of each station.
pub fn add_stations(report: &mut Report, what: &str, traced: &[Traced]) {
    let stations: Vec<_> = traced.iter().filter_map(Traced::stations).collect();
    for (index, station) in STATIONS.iter().enumerate() {
        let mut times: Vec<Duration> = stations.iter().map(|times| times[index]).collect();
        times.sort_unstable();
        if let Some(median) = times.get(times.len() / 2) {
            report.add(format!("{what}, of which {station}"), median.as_secs_f64() * 1000.0, "ms");
        }
    }
}
