//! Forking ahead: while one execution runs, the zygote has already forked the process for the next one, so that no
//! request waits for a fork. That process has done nothing yet but wait for its job, and no execution can reach it.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use badlambda_zygote::protocol::{Job, Request};
use badlambda_zygote::wire;

use crate::execution;
use crate::ruby::{Fork, Ruby};

/// A process that waits for its job. If this value is dropped before the process has a job, the socket closes and the
/// process ends.
pub struct Preforked {
    pub pid: i32,
    socket: OwnedFd,
}

/// In which process the fork returned.
pub enum Ahead {
    /// In the parent.
    Preforked(Preforked),
    /// In the child, after it has received its job.
    Child(Box<Job>, Vec<OwnedFd>),
}

/// Forks a process that waits for its job. `None` if the socket pair or the fork can't be had now.
pub fn fork(ruby: &Ruby) -> Option<Ahead> {
    // A stream socket keeps the job in one piece, because the job is small and the only packet.
    let pair = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.ok()?;
    match ruby.fork()? {
        Fork::Parent(pid) => Some(Ahead::Preforked(Preforked { pid, socket: ours })),
        Fork::Child => {
            drop(ours);
            let (job, fds) = wait(&theirs);
            Some(Ahead::Child(Box::new(job), fds))
        }
    }
}

fn wait(socket: &OwnedFd) -> (Job, Vec<OwnedFd>) {
    let ends_with_parent = prctl::set_pdeathsig(Signal::SIGKILL);
    match wire::receive(socket.as_fd(), &mut Vec::new()) {
        Ok(Some((Request::Execute(job) | Request::Load(job), fds))) if ends_with_parent.is_ok() => (job, fds),
        _ => execution::exit(0),
    }
}

impl Preforked {
    /// Sends the process its job. Fails if the process has ended in the meantime.
    pub fn take(&self, request: &Request, fds: &[OwnedFd]) -> Result<(), Errno> {
        let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        wire::send_now(self.socket.as_fd(), request, &fds)
    }
}
