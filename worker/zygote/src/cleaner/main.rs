//! The cleaner of one sandbox. It kills what an execution left running, and empties the scratch folder, with the
//! execution's own rights and no more.
//!
//! Its effective uid is the execution's, so that kill(2) reaches the execution's processes and it can remove the
//! execution's files. Its real and saved uid are its own, so that no execution can signal or inspect it. It holds no
//! capability. It lives as long as the worker holds the other end of its channel (descriptor 0). When that closes,
//! the cleaner cleans a last time.

#![deny(unsafe_op_in_unsafe_fn)]

mod held;
mod processes;
mod scratch;

use std::io::stdin;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Gid, Pid, Uid, fork, setgroups, setresgid, setresuid, setsid};

use badlambda_zygote::protocol::{CleanerReply, CleanerRequest, User};
use badlambda_zygote::wire;

/// How long killing, and then emptying, may take before the sandbox counts as lost. Cleaning up after any honest
/// function takes far less.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long adding up a scratch folder may take. It is short, because the worker does not watch the attempt
/// meanwhile.
const MEASURING: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(errno) => {
            eprintln!("cleaner: {errno}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Errno> {
    // SIGCONT reaches every process of its sender's session, whatever their uids: in a session of its own, that is nobody.
    setsid()?;
    let channel = stdin();
    let mut buffer = Vec::new();
    let Some((CleanerRequest::Begin { user }, fds)) = wire::receive(channel.as_fd(), &mut buffer)? else {
        return Err(Errno::EPROTO);
    };
    let mut fds = fds.into_iter();
    let scratch = fds.next().ok_or(Errno::EPROTO)?;
    let _claim = fds.next();
    if let Some(user) = user {
        become_user(user)?;
    }
    prctl::set_dumpable(false)?;
    if user.is_some() && !is_alone()? {
        return wire::send(channel.as_fd(), &CleanerReply::Taken, &[]);
    }
    wire::send(channel.as_fd(), &CleanerReply::Done, &[])?;
    let mut sent_before = false;
    while let Some((request, _)) = wire::receive(channel.as_fd(), &mut buffer)? {
        let done = match request {
            CleanerRequest::Begin { .. } => return Err(Errno::EPROTO),
            CleanerRequest::End { patience_ms } => {
                sent_before = false;
                end(user, Duration::from_millis(patience_ms))
            }
            CleanerRequest::Stop => signal(user, Signal::SIGSTOP),
            CleanerRequest::Continue => {
                // It is no error if there is no process to continue.
                signal(user, Signal::SIGCONT);
                CleanerReply::Done
            }
            CleanerRequest::Clean => clean(user, &scratch),
            CleanerRequest::MeasureScratch { most } => {
                measured(measure_scratch(user, &scratch, most, &mut sent_before))
            }
            CleanerRequest::MeasureMemory => measured(user.map(|user| held::memory_bytes(user.uid))),
        };
        wire::send(channel.as_fd(), &done, &[])?;
    }
    clean(user, &scratch);
    Ok(())
}

fn become_user(user: User) -> Result<(), Errno> {
    let (own, theirs) = (Uid::from_raw(user.cleaner), Uid::from_raw(user.uid));
    let group = Gid::from_raw(user.uid);
    setgroups(&[])?;
    setresgid(group, group, group)?;
    setresuid(own, theirs, own)
}

/// Whether no other process on the machine has this cleaner's real uid. The cleaner of a sandbox with the same uids
/// would have it, whatever container it is in. RLIMIT_NPROC shows it, because the kernel counts the processes of a
/// uid across all pid namespaces.
fn is_alone() -> Result<bool, Errno> {
    // The limit has room for this process and its child.
    setrlimit(Resource::RLIMIT_NPROC, 2, 2)?;
    // SAFETY: this process has one thread, and its child ends at once.
    match unsafe { fork() } {
        // SAFETY: _exit has no preconditions.
        Ok(ForkResult::Child) => unsafe { libc::_exit(0) },
        Ok(ForkResult::Parent { child }) => waitpid(child, None).map(|_| true),
        Err(Errno::EAGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn end(user: Option<User>, patience: Duration) -> CleanerReply {
    let deadline = Instant::now() + patience;
    match user {
        Some(user) if !processes::end_all(user.uid, deadline) => CleanerReply::Left,
        _ => CleanerReply::Done,
    }
}

/// Sends a signal to all processes of the user, and to no others.
fn signal(user: Option<User>, signal: Signal) -> CleanerReply {
    let sent = user.is_some() && kill(Pid::from_raw(-1), signal).is_ok();
    if sent { CleanerReply::Done } else { CleanerReply::Left }
}

fn measured(bytes: Option<u64>) -> CleanerReply {
    bytes.map_or(CleanerReply::Unmeasured, CleanerReply::Measured)
}

/// Adds up the bytes of files that have a name and of files that have none any more. Above `most`, the sum is not
/// exact. `None` if the time is up.
///
/// A file that is on its way through a socket has no size that could be found out. An honest function receives it at
/// once. So only if something is on its way now, and was when this was last measured, in `sent_before`, the sum is
/// above `most`.
fn measure_scratch(user: Option<User>, folder: &OwnedFd, most: u64, sent_before: &mut bool) -> Option<u64> {
    let deadline = Instant::now() + MEASURING;
    let named = scratch::measure(folder, most, deadline)?;
    let unnamed =
        user.filter(|_| named <= most).map(|user| held::unnamed(user.uid, folder, most)).unwrap_or_default();
    let was_sent = std::mem::replace(sent_before, unnamed.sent);
    let hidden = if was_sent && unnamed.sent { most.saturating_add(1) } else { 0 };
    Some(named.saturating_add(unnamed.bytes).saturating_add(hidden))
}

fn clean(user: Option<User>, folder: &OwnedFd) -> CleanerReply {
    match end(user, PATIENCE) {
        CleanerReply::Done if scratch::empty(folder, Instant::now() + PATIENCE) => CleanerReply::Done,
        _ => CleanerReply::Left,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::IoSlice;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{
        AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
    };

    use super::*;

    #[test]
    fn a_file_on_its_way_counts_if_it_still_is_when_looked_at_again() {
        let path = std::env::temp_dir().join(format!("cleaner-on-its-way-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        let folder: OwnedFd = File::open(&path).unwrap().into();
        std::fs::remove_dir(&path).unwrap();
        let user = User { uid: nix::unistd::geteuid().as_raw(), cleaner: 0 };
        let (sender, _receiver) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::empty()).unwrap();
        let (iov, fds) = ([IoSlice::new(b"x")], [folder.as_raw_fd()]);
        sendmsg::<()>(sender.as_raw_fd(), &iov, &[ControlMessage::ScmRights(&fds)], MsgFlags::empty(), None)
            .unwrap();
        let most = 1 << 40;
        let mut sent_before = false;
        let mut is_over = || measure_scratch(Some(user), &folder, most, &mut sent_before).unwrap() > most;
        assert!(!is_over());
        assert!(is_over());
    }
}
