//! One line in the log for each execution that ends: what metrics and alarms are made of.

use badlambda_shared::execution::Execution;

/// Logs what came of an execution whose final record this worker has written; never what the code said or returned.
pub(crate) fn account(record: &Execution) {
    let queued_ms = record.started_at.map(|at| at.unix_ms() - record.submitted_at.unix_ms());
    tracing::info!(
        function = %record.function,
        version = record.version,
        execution = %record.id,
        status = record.status.name(),
        kind = record.error.as_ref().map(|error| error.kind.name()),
        attempts = record.attempts,
        wall_ms = record.usage.map(|usage| usage.wall_ms),
        queued_ms,
        "execution finished"
    );
}
