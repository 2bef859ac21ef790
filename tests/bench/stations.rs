//! Where the time of a waited execution goes, at AWS's latencies: traces of the calls of api and worker, put side by side.

use std::time::{Duration, Instant};

use anyhow::ensure;
use badlambda_tests::faults::TracedCall;

use crate::report::{Report, median};

/// The stations on the way, in their order.
const STATIONS: [&str; 6] =
    ["submit", "queue and receive", "start and run", "store result", "store record", "answer"];

/// What api and worker called, one waited execution after the other.
pub struct Trace {
    pub by_api: Vec<TracedCall>,
    pub by_worker: Vec<TracedCall>,
    pub executions: Vec<Waited>,
}

/// An execution, as its client saw it.
pub struct Waited {
    pub submitted_at: Instant,
    pub answered_at: Instant,
}

/// The calls that an execution made.
struct Calls<'a> {
    sent: &'a TracedCall,
    received: &'a TracedCall,
    /// Of its result, unless that stands in its record alone.
    first_put: &'a TracedCall,
    record: &'a TracedCall,
    deleted: &'a TracedCall,
}

impl Trace {
    /// Adds the median of each station, and of how long a message is kept that nobody waits for any more.
    pub fn add_stations(&self, report: &mut Report, what: &str) -> anyhow::Result<()> {
        let traced: Vec<_> =
            self.executions.iter().filter_map(|waited| Some((waited, self.calls(waited)?))).collect();
        ensure!(!traced.is_empty(), "no execution has all its calls in the trace");
        for (index, station) in STATIONS.iter().enumerate() {
            let times = traced.iter().map(|(waited, calls)| calls.stations(waited)[index]);
            report.add(format!("{what}, of which {station}"), median_ms(times), "ms");
        }
        let kept = traced.iter().map(|(_, calls)| calls.deleted.answered_at - calls.record.answered_at);
        report.add(format!("{what}: until it is listed and its message deleted"), median_ms(kept), "ms");
        Ok(())
    }

    /// `None` where a call is not in the trace.
    fn calls(&self, waited: &Waited) -> Option<Calls<'_>> {
        let sent = next(&self.by_api, "SendMessageBatch", waited.submitted_at)?;
        let received = next(&self.by_worker, "ReceiveMessage", sent.asked_at)?;
        // Segments of the index, which are for many executions, lie elsewhere.
        let put = |call: &&TracedCall| call.call.operation == "PutObject" && call.call.on == "executions/";
        let own = |call: &&TracedCall| (received.answered_at..waited.answered_at).contains(&call.asked_at);
        let puts = || self.by_worker.iter().filter(put).filter(own);
        let first_put = puts().min_by_key(|put| put.asked_at)?;
        let record = puts().max_by_key(|put| put.asked_at)?;
        let deleted = next(&self.by_worker, "DeleteMessageBatch", record.answered_at)?;
        Some(Calls { sent, received, first_put, record, deleted })
    }
}

impl Calls<'_> {
    fn stations(&self, waited: &Waited) -> [Duration; STATIONS.len()] {
        let Self { sent, received, first_put, record, .. } = self;
        [
            sent.asked_at - waited.submitted_at,
            received.answered_at - sent.asked_at,
            first_put.asked_at.saturating_duration_since(received.answered_at),
            record.asked_at - first_put.asked_at,
            record.answered_at - record.asked_at,
            waited.answered_at.saturating_duration_since(record.answered_at),
        ]
    }
}

/// The first call of an operation that was answered after this.
fn next<'a>(calls: &'a [TracedCall], operation: &str, since: Instant) -> Option<&'a TracedCall> {
    calls.iter().find(|call| call.call.operation == operation && call.answered_at > since)
}

fn median_ms(times: impl Iterator<Item = Duration>) -> f64 {
    median(times.map(|time| time.as_secs_f64() * 1000.0).collect())
}
