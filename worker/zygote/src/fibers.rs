//! Keeps Ruby from reserving stacks for fibers while it starts. Ruby reserves 32 of them, each between two guard pages.
//! These are 60 mappings, which every fork copies and every exit removes: a tenth of what a short execution costs. If
//! Ruby's mmap(2) fails, Ruby asks for half as many until it gets some. A function that uses fibers gets its 32 later.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;

/// The size of three stacks, of about 650 KiB each. Ruby does not start if it can't have a few.
const POOL_BYTES: usize = 3 * (650 << 10);
const STACKS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;

static BOOTING: AtomicBool = AtomicBool::new(false);

/// Calls `boot`, during which a larger pool of stacks is refused.
pub fn without_pool<T>(boot: impl FnOnce() -> T) -> T {
    BOOTING.store(true, Ordering::Relaxed);
    let booted = boot();
    BOOTING.store(false, Ordering::Relaxed);
    booted
}

/// Takes the place of the C library's mmap(2), also for Ruby's library, because a program's own symbols come first.
///
/// # Safety
/// As mmap(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    address: *mut c_void,
    length: usize,
    protection: libc::c_int,
    flags: libc::c_int,
    fd: libc::c_int,
    offset: libc::off_t,
) -> *mut c_void {
    if flags == STACKS && length > POOL_BYTES && BOOTING.load(Ordering::Relaxed) {
        Errno::ENOMEM.set();
        return libc::MAP_FAILED;
    }
    // SAFETY: the caller vouches for the arguments; the call sets errno, and returns -1, as the function does.
    unsafe { libc::syscall(libc::SYS_mmap, address, length, protection, flags, fd, offset) as *mut c_void }
}
