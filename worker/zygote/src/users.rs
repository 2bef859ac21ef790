//! Who runs as whom.

use nix::errno::Errno;
use nix::libc;

/// Whether any process has this real uid, zombies included. kill(2) can't tell: to everyone, it succeeds with nobody
/// reached.
pub fn any_process_of(uid: u32) -> bool {
    Errno::clear();
    // SAFETY: takes and returns plain numbers.
    let priority = unsafe { libc::getpriority(libc::PRIO_USER, uid) };
    priority != -1 || Errno::last() != Errno::ESRCH
}
