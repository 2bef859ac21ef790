//! The worker's side of a sandbox's cleaner: a process with the execution's rights, which kills what an execution
//! left running and empties its scratch folder. A second cleaner kills the processes of a template.

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

/// How long a cleaner may take to answer. Its longest request takes less.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// The metadata that changes with every change to a folder. The kernel's time stamps are coarse and may hide a
/// change, so the caller also looks into the folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FolderState {
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FolderState {
    pub(super) fn of(folder: &OwnedFd) -> Result<Self, Errno> {
        let found = fstat(folder)?;
        let modified = (found.st_mtime, found.st_mtime_nsec);
        let changed = (found.st_ctime, found.st_ctime_nsec);
        Ok(Self { mode: found.st_mode, modified, changed })
    }
}

/// A cleaner process, and the worker's channel to it.
#[derive(Debug)]
pub(super) struct Cleaner {
    process: Child,
    /// The state of the scratch folder after the last cleaning.
    pub(super) left_as: Option<FolderState>,
    socket: Option<OwnedFd>,
    buffer: Vec<u8>,
}

impl Cleaner {
    /// Starts a cleaner. If the claim is among the descriptors, the cleaner holds the sandbox until it has cleaned it
    /// a last time, even if the worker has ended before that. Returns `None` if a worker in another container has a
    /// sandbox with these uids.
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

    /// Sends a request, and checks that the cleaner answers `Done`.
    pub(super) fn done(&mut self, request: &CleanerRequest) -> Result<(), ExecutorError> {
        match self.ask(request)? {
            CleanerReply::Done => Ok(()),
            _ => Err(ExecutorError::NotCleaned),
        }
    }

    /// Sends a request to add something up, and returns the sum in bytes.
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
            // A late answer would be taken for the answer to the next request, so the worker closes the channel.
            self.socket = None;
        }
        answer?.map(|(done, _)| done).ok_or(ExecutorError::NotCleaned)
    }

    /// Closes the channel, and waits until the cleaner has cleaned a last time and ended.
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
