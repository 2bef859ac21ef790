//! Keeps Ruby from setting stacks aside for fibers before there is any. It asks for 32 at its start, each between two
//! guard pages: 65 mappings that every fork would copy and every exit take down, a tenth of what a short execution
//! costs. When it is refused, it halves its wish until it gets some; a function that uses fibers is given 32 as ever.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;

/// Three stacks, of about 650 KiB each. Ruby gives up, and ends, before it asks for a single one.
const POOL_BYTES: usize = 3 * (650 << 10);
const STACKS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;

static BOOTING: AtomicBool = AtomicBool::new(false);

/// Does `boot`, in which no pool of stacks is had.
pub fn without_pool<T>(boot: impl FnOnce() -> T) -> T {
    BOOTING.store(true, Ordering::Relaxed);
    let booted = boot();
    BOOTING.store(false, Ordering::Relaxed);
    booted
}

/// Stands before the C library's mmap(2), for Ruby: a program's own symbols come first.
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
