//! What the API counts beside what `badlambda_shared::process::metrics` has, and each of these names once. They are public:
//! deploy/metrics.md lists them.

use badlambda_shared::process::metrics::{Counter, Description, Gauge, Histogram, start};

/// What the API counts.
pub static METRICS: [Description; 6] = [
    HTTP_REQUESTS.description(),
    HTTP_REQUEST_SECONDS.description(),
    PROBLEMS.description(),
    SUBMITS.description(),
    CANCELS.description(),
    WAITS.description(),
];

pub(crate) static HTTP_REQUESTS: Counter<3> = Counter::new(
    "badlambda_api_http_requests_total",
    ["method", "route", "status"],
    "requests answered; route is the path with its parameters' names, or other where there is no such route",
);

pub(crate) static HTTP_REQUEST_SECONDS: Histogram<3> = Histogram::new(
    "badlambda_api_http_request_duration_seconds",
    ["method", "route", "status"],
    "time to the answer's head; with Prefer: wait, the wait is part of it",
);

pub(crate) static PROBLEMS: Counter<1> = Counter::new(
    "badlambda_api_problems_total",
    ["type"],
    "requests answered with a problem, by its type: rate_limited is each 429, busy and unavailable are refusals with 503",
);

pub(crate) static SUBMITS: Counter<1> = Counter::new(
    "badlambda_api_submits_total",
    ["function"],
    "executions that the queue has accepted, those of batches, replays and one-shots (_run) included",
);

pub(crate) static CANCELS: Counter<0> = Counter::new(
    "badlambda_api_cancels_total",
    [],
    "executions whose final record says that they were cancelled",
);

pub(crate) static WAITS: Gauge = Gauge::new(
    "badlambda_api_waits",
    "requests that wait for an execution to finish, or listen to its events",
);

/// Begins to count. What has few values of its labels is there from the beginning, so that its first step is seen.
pub(crate) fn start_counting() {
    start(&METRICS);
    CANCELS.add([], 0);
    ["busy", "internal", "rate_limited", "unavailable"].iter().for_each(|kind| PROBLEMS.add([kind], 0));
}
