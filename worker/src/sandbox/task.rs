//! What the executor is asked to run, and the outcome that it returns.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::execution::invocation::Invocation;
use badlambda_shared::execution::result_encoding::ResultEncoding;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::execution::{ExecutionError, Isolation, Usage};
use badlambda_shared::function::{Form, FunctionConfig};
use badlambda_shared::timestamp::Timestamp;

use super::packages::Unpacked;
use super::progress::Progress;

/// One attempt at one execution.
#[derive(Debug)]
pub struct Task {
    /// The execution's id.
    pub execution_id: String,
    /// The function's name.
    pub function: String,
    /// The version's number; 0 where it has none.
    pub version: u32,
    /// The revision. The executor remembers by it what it prepared.
    pub revision: String,
    /// Which attempt it is, from 1 on.
    pub attempt: u32,
    /// How the code is run.
    pub form: Form,
    /// The code.
    pub code: TaskCode,
    /// What is in the function's layers, if it has any.
    pub layers: Option<Arc<Unpacked>>,
    /// The version's limits and permissions.
    pub config: FunctionConfig,
    /// The input, as JSON.
    pub event: String,
    /// The trace it belongs to.
    pub trace: Trace,
    /// What the caller says beside the input.
    pub invocation: Option<Box<Invocation>>,
    /// Becomes readable when the attempt must end at once. Its outcome is then of no interest.
    pub cancelled: Option<Arc<OwnedFd>>,
    /// Is told how far the attempt has come.
    pub progress: Option<Arc<Progress>>,
}

/// The code of a task.
#[derive(Clone, Debug)]
pub enum TaskCode {
    /// One Ruby file.
    Ruby(Arc<str>),
    /// What was in a zip. Its form is that of a handler.
    Package(Arc<Unpacked>),
}

impl From<&str> for TaskCode {
    fn from(code: &str) -> Self {
        Self::Ruby(Arc::from(code))
    }
}

/// Whether an execution that raised an exception asks for another attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryWish {
    /// It asks for nothing, so the function's config decides.
    #[default]
    AsConfigured,
    /// It asks for another attempt, after this time if it gave one.
    Again(Option<Duration>),
    /// It must not be tried again.
    Never,
}

/// How an attempt ended. A failure of Ruby is an outcome, just as a result is.
#[derive(Debug)]
pub struct Outcome {
    /// The result's JSON, checked, or why there is none.
    pub result: Result<String, ExecutionError>,
    /// How that JSON stands for bytes, where the function returned such.
    pub result_encoding: Option<ResultEncoding>,
    /// Whether the execution asks for another attempt, where there is no result.
    pub retry: RetryWish,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// What it used.
    pub usage: Usage,
    /// What it wrote to stdout and stderr, as far as it is kept.
    pub logs: Vec<u8>,
    /// Whether more was written than is kept.
    pub logs_truncated: bool,
    /// How it was confined.
    pub isolation: Isolation,
}

/// Our own failure to run something. The attempt may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// Executions should get uids of their own, which only root can give them.
    #[error(
        "only root can give executions uids of their own: run the worker as root, \
         or, for development, set BADLAMBDA_ISOLATION=unprivileged"
    )]
    NotRoot,
    /// A program of ours could not be started.
    #[error("could not start {program}: {source}")]
    Spawn {
        /// Its path.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The zygote ended, or sent what it never should.
    #[error("the zygote failed: {0}")]
    Zygote(String),
    /// A process could not be confined.
    #[error("an execution could not be confined: {0}")]
    NotConfined(String),
    /// What an execution left behind could not be cleaned up.
    #[error("the executor could not clean up after an execution")]
    NotCleaned,
    /// The execution found no room for its files, though it had used less than its own limit.
    #[error("the worker's scratch space is full: give it more, or let fewer executions run at once")]
    NoScratch,
    /// The attempt was cancelled.
    #[error("the attempt was cancelled")]
    Cancelled,
    /// A call to the system failed.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

impl From<nix::errno::Errno> for ExecutorError {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::System(errno.into())
    }
}

impl Task {
    /// What was in the zip, where the code came in one.
    pub(super) fn package(&self) -> Option<&Arc<Unpacked>> {
        match &self.code {
            TaskCode::Ruby(_) => None,
            TaskCode::Package(package) => Some(package),
        }
    }

    /// Everything that its processes read and that must stay where it is for as long as they live.
    pub(super) fn unpacked(&self) -> Vec<Arc<Unpacked>> {
        self.package().into_iter().chain(&self.layers).cloned().collect()
    }
}
