//! The errors of an execution, in the words that its caller reads: a limit that it reached, or something that its
//! code broke.

use badlambda_shared::execution::{Cause, ErrorKind, ExecutionError};
use badlambda_shared::function::FunctionConfig;

use super::task::ExecutorError;

/// Why the worker itself ended an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitHit {
    /// The wall clock ran out.
    Timeout,
    /// Its processes held too much memory.
    Memory,
    /// Its scratch folder held too much.
    Scratch,
    /// It had more processes than `max_processes`.
    Processes,
    /// Its answer was longer than any result may be.
    TooLarge,
    /// Its template had more processes than it needs.
    Broken,
    /// Processes or threads stayed that the function's code should have ended.
    LeftProcesses,
    /// The attempt was cancelled, so nobody needs its outcome.
    Cancelled,
}

impl LimitHit {
    /// Its name, for metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Scratch => "scratch",
            Self::Processes => "processes",
            Self::TooLarge => "result_too_large",
            Self::Broken => "broken_template",
            Self::LeftProcesses => "left_processes",
            Self::Cancelled => "cancelled",
        }
    }

    /// The error that the caller gets. A cancellation has none, and is an `Err`.
    pub(super) fn error(self, config: &FunctionConfig) -> Result<ExecutionError, ExecutorError> {
        match self {
            Self::Timeout => Ok(timeout(config)),
            Self::Memory => Ok(memory(config)),
            Self::Scratch => Ok(scratch(config)),
            Self::Processes => Ok(processes(config)),
            Self::TooLarge => Ok(too_large(config)),
            Self::Broken => Ok(broken()),
            Self::LeftProcesses => Ok(crashed(
                "the function's code left processes or threads behind: end them before the top level or the handler returns"
                    .to_owned(),
            )),
            Self::Cancelled => Err(ExecutorError::Cancelled),
        }
    }
}

pub(super) fn crashed(message: String) -> ExecutionError {
    ExecutionError::new(ErrorKind::Crash, message)
}

/// Only function code can break its own template, so this is the function's failure.
pub(super) fn broken() -> ExecutionError {
    crashed(
        "the process that holds the function's loaded code broke: its code interferes with how it is run"
            .to_owned(),
    )
}

pub(super) fn timeout(config: &FunctionConfig) -> ExecutionError {
    let limit = config.timeout_ms;
    let message = format!("the function ran longer than config.timeout_ms, {limit} ms");
    ExecutionError::new(ErrorKind::Timeout, message).because(Cause::Limit(limit))
}

pub(super) fn memory(config: &FunctionConfig) -> ExecutionError {
    let limit = config.memory_mb;
    let message = format!("the function needed more than config.memory_mb, {limit} MiB");
    ExecutionError::new(ErrorKind::Memory, message).because(Cause::Limit(limit))
}

fn processes(config: &FunctionConfig) -> ExecutionError {
    let limit = config.max_processes;
    crashed(format!("the function had more processes than config.max_processes, {limit}"))
        .because(Cause::Limit(limit))
}

pub(super) fn scratch(config: &FunctionConfig) -> ExecutionError {
    let limit = config.max_scratch_bytes;
    let message = format!("the function wrote more than config.max_scratch_bytes, {limit} bytes");
    ExecutionError::new(ErrorKind::Scratch, message).because(Cause::Limit(limit))
}

pub(super) fn too_large(config: &FunctionConfig) -> ExecutionError {
    let limit = config.max_result_bytes;
    let message = format!("the result is larger than config.max_result_bytes, {limit} bytes");
    ExecutionError::new(ErrorKind::ResultTooLarge, message).because(Cause::Limit(limit))
}
