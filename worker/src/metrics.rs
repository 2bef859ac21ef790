//! What the worker counts beside what `badlambda_shared::process::metrics` has, and each of these names once. They are public:
//! deploy/metrics.md lists them.

use badlambda_shared::execution::history::GivenBack;
use badlambda_shared::process::metrics::{Counter, Description, Gauge, Histogram, start};

/// What the worker counts.
pub static METRICS: [Description; 21] = [
    SLOTS.description(),
    SLOTS_BUSY.description(),
    MESSAGES_HELD.description(),
    MESSAGES_PREFETCHED.description(),
    EXECUTIONS.description(),
    QUEUE_WAIT.description(),
    MAP_ITEMS.description(),
    RUN.description(),
    STORE.description(),
    INDEX_LAG.description(),
    INDEX_WAITING.description(),
    RETRIES.description(),
    DEAD_LETTERS.description(),
    LEASES_LOST.description(),
    FORKS.description(),
    TEMPLATES.description(),
    TEMPLATE_LOADS.description(),
    TEMPLATES_ENDED.description(),
    KILLS.description(),
    ZYGOTE_RESTARTS.description(),
    SANDBOXES_GIVEN_UP.description(),
];

pub(crate) static SLOTS: Gauge = Gauge::new("badlambda_worker_slots", "executions that may run at once");

pub(crate) static SLOTS_BUSY: Gauge = Gauge::new(
    "badlambda_worker_slots_busy",
    "slots in use: by what runs, and by outcomes that wait for memory to be stored from",
);

pub(crate) static MESSAGES_HELD: Gauge = Gauge::new(
    "badlambda_worker_messages_held",
    "messages that were received and are not settled yet; the worker renews their leases",
);

pub(crate) static MESSAGES_PREFETCHED: Gauge = Gauge::new(
    "badlambda_worker_messages_prefetched",
    "messages among them that have no slot yet: held ahead of what runs",
);

pub(crate) static EXECUTIONS: Counter<3> = Counter::new(
    "badlambda_worker_executions_total",
    ["function", "outcome", "kind"],
    "executions whose final record this worker wrote; outcome is succeeded or failed, kind that of the error, or none",
);

pub(crate) static MAP_ITEMS: Counter<3> = Counter::new(
    "badlambda_worker_map_items_total",
    ["function", "outcome", "kind"],
    "items of maps that ended on this worker; outcome is succeeded or failed, kind that of the error, or none",
);

pub(crate) static QUEUE_WAIT: Histogram<1> = Histogram::new(
    "badlambda_worker_queue_wait_seconds",
    ["function"],
    "time from the submit to the begin of the last attempt, of executions that ended; delays and retries are part of it",
);

pub(crate) static RUN: Histogram<1> = Histogram::new(
    "badlambda_worker_run_duration_seconds",
    ["function"],
    "wall time of each attempt that got an outcome, also of one that is tried again",
);

pub(crate) static STORE: Histogram<0> = Histogram::new(
    "badlambda_worker_store_duration_seconds",
    [],
    "time from an outcome to its final record in S3, with result and logs",
);

pub(crate) static INDEX_LAG: Histogram<0> = Histogram::new(
    "badlambda_worker_index_lag_seconds",
    [],
    "time from a final record to its line in the index, which lists show from then on",
);

pub(crate) static INDEX_WAITING: Gauge =
    Gauge::new("badlambda_worker_index_lines_waiting", "lines of the index that are not stored yet");

pub(crate) static RETRIES: Counter<1> = Counter::new(
    "badlambda_worker_retries_total",
    ["reason"],
    "messages given back to run again: failed (the function), lost (by us), stopped, not_started, not_stored, at_cap (as many run of the function as may)",
);

pub(crate) static DEAD_LETTERS: Counter<1> = Counter::new(
    "badlambda_worker_dead_letters_total",
    ["reason"],
    "messages moved to the dead-letter queue: bad_message, not_found, worker_lost or expired",
);

pub(crate) static LEASES_LOST: Counter<0> = Counter::new(
    "badlambda_worker_leases_lost_total",
    [],
    "messages that SQS gave to others while this worker held them, so that their executions may run twice",
);

pub(crate) static FORKS: Counter<1> = Counter::new(
    "badlambda_worker_forks_total",
    ["parent"],
    "processes forked for functions: by a zygote (script form, and each load of a template) or by a template",
);

pub(crate) static TEMPLATES: Gauge =
    Gauge::new("badlambda_worker_templates", "handler versions that are loaded, waiting or in use");

pub(crate) static TEMPLATE_LOADS: Counter<1> = Counter::new(
    "badlambda_worker_template_loads_total",
    ["result"],
    "runs of a handler's top level: loaded, or failed, which fails the execution that waits for it",
);

pub(crate) static TEMPLATES_ENDED: Counter<1> = Counter::new(
    "badlambda_worker_templates_ended_total",
    ["reason"],
    "templates ended: surplus (beyond BADLAMBDA_TEMPLATES), idle, worn_out, over_limits, pressure (on memory or scratch), broken, ended",
);

pub(crate) static KILLS: Counter<1> = Counter::new(
    "badlambda_worker_kills_total",
    ["cause"],
    "executions and loads that the worker ended itself: timeout, memory, scratch, processes, result_too_large, left_processes, broken_template or cancelled",
);

pub(crate) static ZYGOTE_RESTARTS: Counter<0> = Counter::new(
    "badlambda_worker_zygote_restarts_total",
    [],
    "zygotes that ended by themselves, so that others were started",
);

pub(crate) static SANDBOXES_GIVEN_UP: Counter<0> = Counter::new(
    "badlambda_worker_sandboxes_given_up_total",
    [],
    "sandboxes that are not used again, since they could not be cleaned",
);

/// Begins to count. What has few values of its labels is there from the beginning, so that its first step is seen.
pub(crate) fn start_counting() {
    start(&METRICS);
    [&LEASES_LOST, &ZYGOTE_RESTARTS, &SANDBOXES_GIVEN_UP].iter().for_each(|counter| counter.add([], 0));
    GivenBack::NAMES.iter().for_each(|reason| RETRIES.add([reason], 0));
    ["bad_message", "not_found", "worker_lost", "expired"]
        .iter()
        .for_each(|kind| DEAD_LETTERS.add([kind], 0));
    ["timeout", "memory", "scratch"].iter().for_each(|cause| KILLS.add([cause], 0));
}
