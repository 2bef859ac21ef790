//! Ending every process of a uid, without knowing any of them by its pid.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use badlambda_zygote::processes::any_process_of;

const PAUSE: Duration = Duration::from_micros(100);

/// Kills until none is left, zombies included, which are the zygote's to reap. False if the deadline passes first.
pub fn end_all(uid: u32, deadline: Instant) -> bool {
    while any_process_of(uid) {
        if Instant::now() > deadline {
            return false;
        }
        // All that we may signal, which is that uid's alone, in one call that nothing forks away from.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        thread::sleep(PAUSE);
    }
    true
}
