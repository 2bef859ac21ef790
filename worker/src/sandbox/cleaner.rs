//! The cleaner of a sandbox: a process with the execution's rights, which kills what an execution left running and
//! empties its scratch folder. Another does the first for a template.

use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use badlambda_zygote::protocol::{CleanerReply, CleanerRequest, User};
use badlambda_zygote::wire;
use nix::errno::Errno;
use nix::sys::stat::fstat;

use super::task::ExecutorError;
use super::zygotes::{spawn, wait_at_most};

/// How long a cleaner may take to answer: more than its longest request.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// What changes when anything is done to a folder. Its times are coarse, so a look into it goes with this.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FolderState {
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FolderState {
    /// As it is now.
    pub(super) fn of(folder: &OwnedFd) -> Result<Self, Errno> {
        let found = fstat(folder)?;
        let modified = (found.st_mtime, found.st_mtime_nsec);
        let changed = (found.st_ctime, found.st_ctime_nsec);
        Ok(Self { mode: found.st_mode, modified, changed })
    }
}

/// The program that kills and empties for a sandbox, as the worker talks to it.
#[derive(Debug)]
pub(super) struct Cleaner {
    process: Child,
    /// The scratch folder as it was left.
    pub(super) left_as: Option<FolderState>,
    socket: Option<OwnedFd>,
    buffer: Vec<u8>,
}

impl Cleaner {
    /// With the claim, it holds the sandbox until it has cleaned it, even if the worker is gone before. `None` where a worker
    /// in another container has a sandbox with these uids.
    pub(super) fn start(
        program: &Path,
        user: Option<User>,
        scratch_and_claim: &[RawFd],
    ) -> Result<Option<Self>, ExecutorError> {
        let (socket, process) = spawn(program, &[])?;
        wait_at_most(&socket, ANSWER_PATIENCE)?;
        let mut cleaner = Self { process, left_as: None, socket: Some(socket), buffer: Vec::new() };
        match cleaner.ask_with(&CleanerRequest::Begin { user }, scratch_and_claim)? {
            CleanerReply::Done => Ok(Some(cleaner)),
            _ => Ok(None),
        }
    }

    /// Has it do what is answered with no more than that it is done.
    pub(super) fn done(&mut self, request: &CleanerRequest) -> Result<(), ExecutorError> {
        match self.ask(request)? {
            CleanerReply::Done => Ok(()),
            _ => Err(ExecutorError::NotCleaned),
        }
    }

    /// Has it add something up, in bytes.
    pub(super) fn measured(&mut self, request: &CleanerRequest) -> Result<u64, ExecutorError> {
        match self.ask(request)? {
            CleanerReply::Measured(bytes) => Ok(bytes),
            _ => Err(ExecutorError::NotCleaned),
        }
    }

    fn ask(&mut self, request: &CleanerRequest) -> Result<CleanerReply, ExecutorError> {
        self.ask_with(request, &[])
    }

    fn ask_with(&mut self, request: &CleanerRequest, fds: &[RawFd]) -> Result<CleanerReply, ExecutorError> {
        let socket = self.socket.as_ref().ok_or(ExecutorError::NotCleaned)?;
        wire::send(socket.as_fd(), request, fds)?;
        let answer = wire::receive(socket.as_fd(), &mut self.buffer);
        if answer.is_err() {
            // What it answers later would be taken for the answer to something else.
            self.socket = None;
        }
        answer?.map(|(done, _)| done).ok_or(ExecutorError::NotCleaned)
    }

    /// Ends it, and waits for that: it cleans a last time.
    pub(super) fn end(&mut self) {
        drop(self.socket.take());
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "could not wait for a cleaner");
        }
    }
}

impl Drop for Cleaner {
    fn drop(&mut self) {
        self.end();
    }
}
