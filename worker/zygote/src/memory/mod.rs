//! How a zygote prepares its memory, so that forks of it are cheap. A fork copies a page table entry for each page of
//! private memory, and the child's end clears each entry that the child has. So what is dense lies in huge pages, of
//! which each takes one entry, and what is sparse in a file, of which a fork copies no entry.

mod heap;
mod text;
mod transient;

use std::fs;

use nix::libc;

use badlambda_zygote::protocol::Tuning;

pub use self::heap::{align, fill_gaps};

const HUGE_PAGE: usize = 2 << 20;
const SMALLEST_PAGE: usize = 4 << 10;
/// The advice to madvise(2) to collapse pages. Linux has it since 6.1, but not every libc's headers do.
const MADV_COLLAPSE: libc::c_int = 25;

/// A line of /proc/self/maps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    end: usize,
    writable: bool,
    executable: bool,
    private: bool,
    /// The file's, or 0.
    inode: u64,
    is_stack: bool,
}

/// Prepares the memory of a warm zygote. It reads /proc, so it must be called before confinement. What the kernel
/// refuses stays as it is.
pub fn prepare(tuning: Tuning) {
    // Ruby switches huge pages off for its process, so we switch them on again.
    // SAFETY: a prctl with plain numbers.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0) };
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mappings: Vec<Mapping> = maps.lines().filter_map(Mapping::parse).collect();
    if tuning.huge_pages {
        mappings.iter().filter(|mapping| mapping.is_data()).for_each(heap::collapse);
    }
    if tuning.huge_code {
        text::collapse(&mappings);
    }
    if tuning.transient_heap_in_file {
        mappings.iter().filter(|mapping| mapping.is_data()).for_each(transient::move_to_file);
    }
}

/// Address space for data that the warm interpreter has reserved but does not use, in bytes. With Ruby 3.3 this is
/// 0.4 GiB, for the shapes of objects. It takes no memory, but counts against RLIMIT_DATA. It is found in /proc, so
/// this must be called before confinement, and before [`prepare`], since pages of files count otherwise.
pub fn reserved_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name| kilobytes(&status, name).unwrap_or_default() << 10;
    bytes("VmData:").saturating_sub(bytes("RssAnon:"))
}

/// The figure in kB behind `name` in /proc/self/status.
fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let figure = status.lines().find_map(|line| line.strip_prefix(name))?;
    figure.trim().strip_suffix(" kB")?.parse().ok()
}

/// For each page of a range, whether it is in memory. `None` if the kernel does not tell.
fn resident_pages(start: usize, bytes: usize) -> Option<Vec<bool>> {
    let mut resident = vec![0u8; bytes / SMALLEST_PAGE];
    // SAFETY: mincore fills one byte for each page of the range.
    let done = unsafe { libc::mincore(start as *mut libc::c_void, bytes, resident.as_mut_ptr()) };
    (done == 0).then(|| resident.iter().map(|page| page & 1 != 0).collect())
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split_whitespace();
        let (range, permissions) = (columns.next()?, columns.next()?.as_bytes());
        let (start, end) = range.split_once('-')?;
        let (_offset, _device, inode) = (columns.next()?, columns.next()?, columns.next()?);
        let &[_readable, writable, executable, shared_or_private] = permissions else { return None };
        Some(Self {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            writable: writable == b'w',
            executable: executable == b'x',
            private: shared_or_private == b'p',
            inode: inode.parse().ok()?,
            is_stack: columns.next() == Some("[stack]"),
        })
    }

    /// Whether this is writable memory of no file, and not the stack.
    fn is_data(&self) -> bool {
        self.writable && self.private && self.inode == 0 && !self.is_stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_writable_memory_of_no_file_is_data() {
        let is_data = |line| Mapping::parse(line).map(|mapping| mapping.is_data());
        assert_eq!(is_data("7f00-8f00 rw-p 00000000 00:00 0    [heap]"), Some(true));
        assert_eq!(is_data("7f00-8f00 rw-p 00000000 08:01 42 /usr/lib/libruby.so"), Some(false));
        assert_eq!(is_data("7f00-8f00 r--p 00000000 00:00 0"), Some(false));
        assert_eq!(is_data("7f00-8f00 rw-p 00000000 00:00 0 [stack]"), Some(false));
        assert_eq!(is_data("nonsense"), None);
    }

    #[test]
    fn figures_are_found_by_their_whole_name() {
        let status = "VmSize:\t  449000 kB\nVmData:\t  431000 kB\nRssAnon:\t   13024 kB\n";
        assert_eq!(kilobytes(status, "VmData:"), Some(431_000));
        assert_eq!(kilobytes(status, "Data:"), None);
        assert!(reserved_bytes() > 0);
    }
}
