//! Questions to the kernel about processes.

use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;

/// Whether any process has this real uid, zombies included. kill(2) can't tell: a signal to all processes succeeds
/// even if it reaches none.
pub fn any_process_of(uid: u32) -> bool {
    Errno::clear();
    // SAFETY: takes and returns plain numbers.
    let priority = unsafe { libc::getpriority(libc::PRIO_USER, uid) };
    priority != -1 || Errno::last() != Errno::ESRCH
}

/// How many threads this process has. Reads /proc.
///
/// # Errors
/// Where /proc can't be read.
pub fn count_own_threads() -> io::Result<u64> {
    Ok(fs::read_dir("/proc/self/task")?.count() as u64)
}

/// A descriptor that becomes readable when the process ends.
///
/// # Errors
/// Those of pidfd_open(2).
pub fn open_process(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes plain numbers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
