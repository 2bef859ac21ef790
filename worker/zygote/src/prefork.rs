//! What a zygote forks ahead: while one execution runs, the next is forked already and waits for its job, so that nobody
//! waits for a fork. It has done nothing else yet, and is out of every execution's reach.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use badlambda_zygote::protocol::{Job, Request};
use badlambda_zygote::wire;

use crate::execution;
use crate::ruby::{Fork, Ruby};

/// A process that waits for its job. It ends when this is dropped.
pub struct Preforked {
    pub pid: i32,
    socket: OwnedFd,
}

/// Where forking ahead returned.
pub enum Ahead {
    /// In the parent.
    Preforked(Preforked),
    /// In the child, once it was given its job.
    Child(Box<Job>, Vec<OwnedFd>),
}

/// Forks one. `None` where that can't be had now.
pub fn fork(ruby: &Ruby) -> Option<Ahead> {
    // A job is small, and the only packet: a stream keeps it whole.
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
    /// Gives it its job. Fails where it has ended meanwhile.
    pub fn take(&self, request: &Request, fds: &[OwnedFd]) -> Result<(), Errno> {
        let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        wire::send_now(self.socket.as_fd(), request, &fds)
    }
}
