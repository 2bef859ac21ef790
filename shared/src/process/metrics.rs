//! What a process counts, for Prometheus. Each crate names its metrics in one file: what the API and the worker both
//! have in this one, the rest in their `metrics.rs`. The names are public, and deploy/metrics.md lists them.
//!
//! A process has one registry, whatever runs in it: in `badlambda up`, the API and the worker count side by side. Gauges
//! are therefore moved and never set, so that two workers in one process add up.
//!
//! Values of labels are `&'static str`, so that nothing that comes from outside becomes one by mistake. What has to, as
//! the name of a function does, goes through [`LabelValues`], which keeps a bounded number.

mod kinds;
mod labels;
mod recorder;

pub use self::kinds::{Counted, Counter, Description, Gauge, Histogram, Kind};
pub use self::labels::{LabelValues, OTHER, function_label, known_function_label};
pub use self::recorder::{CONTENT_TYPE, keep_up, render, start};

/// What the API and the worker both count.
pub static METRICS: [Description; 6] = [
    AWS_REQUESTS.description(),
    AWS_REQUEST_SECONDS.description(),
    AWS_BATCH_MESSAGES.description(),
    AWS_REFUSED_ENTRIES.description(),
    MANIFEST_LOOKUPS.description(),
    MANIFEST_READS.description(),
];

pub(crate) static AWS_REQUESTS: Counter<2> = Counter::new(
    "badlambda_aws_requests_total",
    ["operation", "result"],
    "requests to SQS and S3, each attempt by itself; result is ok, an HTTP status such as 412 or 503, other, or no_answer",
);

pub(crate) static AWS_REQUEST_SECONDS: Histogram<1> = Histogram::new(
    "badlambda_aws_request_duration_seconds",
    ["operation"],
    "time from the begin of an attempt to the answer's head, or to its failure; a ReceiveMessage waits for up to 20 s",
);

pub(crate) static AWS_BATCH_MESSAGES: Histogram<1> = Histogram::new(
    "badlambda_aws_batch_messages",
    ["operation"],
    "messages in one call: what ReceiveMessage brought, and what a batch was made of",
);

pub(crate) static AWS_REFUSED_ENTRIES: Counter<1> = Counter::new(
    "badlambda_aws_refused_entries_total",
    ["operation"],
    "entries of batches that SQS did not accept, though it accepted the call",
);

pub(crate) static MANIFEST_LOOKUPS: Counter<0> = Counter::new(
    "badlambda_manifest_lookups_total",
    [],
    "lookups of a function's manifest, which is remembered for seconds",
);

pub(crate) static MANIFEST_READS: Counter<0> =
    Counter::new("badlambda_manifest_reads_total", [], "lookups that had to read the manifest from S3");
