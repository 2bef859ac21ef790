//! Kills every process of a uid, without knowing their pids.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use badlambda_zygote::processes::any_process_of;

const PAUSE: Duration = Duration::from_micros(100);

/// Kills until no process of `uid` is left, not even a zombie. The zygote or a template reaps the zombies. False if
/// the deadline passes first.
pub fn end_all(uid: u32, deadline: Instant) -> bool {
    while any_process_of(uid) {
        if Instant::now() > deadline {
            return false;
        }
        // This one call kills all processes that we may signal, which are only those of `uid`. None of them can get
        // away from it by forking.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        thread::sleep(PAUSE);
    }
    true
}
