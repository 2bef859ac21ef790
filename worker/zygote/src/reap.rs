//! Waiting for a child that has ended.

use badlambda_zygote::protocol::Exit;
use nix::errno::Errno;
use nix::libc;
use nix::sys::wait::{Id, WaitPidFlag};

/// Waits for a child, and returns how it ended and what it used. `None` if none has ended, or there is none. This is
/// waitid(2) through its raw call, because libc hides the fifth argument, which takes what the child used.
pub fn reap(which: Id, flags: WaitPidFlag) -> Option<Exit> {
    let (kind, id) = match which {
        Id::Pid(pid) => (libc::P_PID, pid.as_raw()),
        _ => (libc::P_ALL, 0),
    };
    // SAFETY: all-zero is a valid siginfo_t.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: all-zero is a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live values of the types that the call fills.
        let done = unsafe { libc::syscall(libc::SYS_waitid, kind, id, &mut info, flags.bits(), &mut usage) };
        match Errno::result(done) {
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    }
    // SAFETY: waitid fills this part of the union; it is zero where no child had ended.
    let pid = unsafe { info.si_pid() };
    // SAFETY: waitid fills this part, too; it is zero where no child had ended.
    let status = unsafe { info.si_status() };
    let exited = info.si_code == libc::CLD_EXITED;
    let microseconds = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    (pid != 0).then(|| Exit {
        pid,
        code: exited.then_some(status),
        signal: (!exited).then_some(status),
        cpu_us: microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
        max_rss_bytes: usage.ru_maxrss as u64 * 1024,
    })
}
