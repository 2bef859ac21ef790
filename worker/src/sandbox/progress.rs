//! How far an attempt has come while it runs.

use std::sync::Mutex;

use badlambda_shared::execution::Usage;
use badlambda_shared::limits;

use super::zygotes::lock;

/// How far an attempt has come. Its watch writes it about once a second, and whoever runs the attempt reads it.
#[derive(Debug, Default)]
pub struct Progress(Mutex<ProgressReport>);

/// What an attempt has used and logged until now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgressReport {
    /// What its processes have used.
    pub usage: Usage,
    /// The end of its logs, at most [`limits::LOGS_TAIL_BYTES`].
    pub logs_tail: Vec<u8>,
    /// The size of all its logs, as far as they are kept.
    pub logs_bytes: u64,
}

impl Progress {
    /// How far it had come when its watch last looked.
    pub fn report(&self) -> ProgressReport {
        lock(&self.0).clone()
    }

    pub(super) fn note(&self, usage: Usage, logs: &[u8]) {
        let tail = &logs[logs.len().saturating_sub(limits::LOGS_TAIL_BYTES)..];
        let mut report = lock(&self.0);
        report.usage = usage;
        report.logs_tail.clear();
        report.logs_tail.extend_from_slice(tail);
        report.logs_bytes = logs.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_logs_is_told() {
        let progress = Progress::default();
        assert_eq!(progress.report(), ProgressReport::default());
        let logs: Vec<u8> = (0..limits::LOGS_TAIL_BYTES + 3).map(|n| n as u8).collect();
        progress.note(Usage { wall_ms: 7.0, ..Usage::default() }, &logs);
        let report = progress.report();
        assert_eq!((report.usage.wall_ms, report.logs_bytes), (7.0, logs.len() as u64));
        assert_eq!(report.logs_tail, &logs[3..]);
    }
}
