//! Ending every process of a uid, without knowing any of them by its pid.

use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PAUSE: Duration = Duration::from_micros(100);

/// Kills until none is left, zombies included, which are the zygote's to reap. False if the deadline passes first.
pub fn end_all(uid: u32, deadline: Instant) -> bool {
    while any(uid) {
        if Instant::now() > deadline {
            return false;
        }
        // All that we may signal, which is that uid's alone, in one call that nothing forks away from.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        thread::sleep(PAUSE);
    }
    true
}

/// Whether any process has this real uid. kill(2) can't tell: to everyone, it succeeds with nobody reached.
fn any(uid: u32) -> bool {
    Errno::clear();
    // SAFETY: takes and returns plain numbers.
    let priority = unsafe { libc::getpriority(libc::PRIO_USER, uid) };
    priority != -1 || Errno::last() != Errno::ESRCH
}
