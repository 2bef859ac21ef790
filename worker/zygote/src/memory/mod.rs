//! How a zygote prepares its memory, so that forks of it are cheap. A fork copies a page table entry for each page of
//! private memory, and the child's end clears each entry that the child has. So what is dense lies in huge pages, of
//! which each takes one entry, and what is sparse in a file, of which a fork copies no entry.

mod heap;
mod text;
mod transient;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use nix::libc;

use badlambda_zygote::protocol::Tuning;

pub use self::heap::{align, fill_gaps};

const HUGE_PAGE: usize = 2 << 20;
const SMALLEST_PAGE: usize = 4 << 10;
/// The advice to madvise(2) to collapse pages. Linux has it since 6.1, but not every libc's headers do.
const MADV_COLLAPSE: libc::c_int = 25;

/// The bytes of an entry of /proc/PID/pagemap.
const PAGEMAP_ENTRY: usize = 8;
/// In the last byte of an entry: the page is present, or swapped out. See the kernel's page on pagemap.
const IN_USE: u8 = 0b1100_0000;

/// A line of /proc/self/maps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    end: usize,
    readable: bool,
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

/// For each page of a range, whether it has contents of its own, in memory or swapped out. `None` if the kernel does not
/// tell.
fn used_pages(start: usize, bytes: usize) -> Option<Vec<bool>> {
    let mut entries = vec![0; bytes / SMALLEST_PAGE * PAGEMAP_ENTRY];
    let offset = start / SMALLEST_PAGE * PAGEMAP_ENTRY;
    File::open("/proc/self/pagemap").ok()?.read_exact_at(&mut entries, offset as u64).ok()?;
    let last_bytes = entries.chunks_exact(PAGEMAP_ENTRY).map(|entry| entry[PAGEMAP_ENTRY - 1]);
    Some(last_bytes.map(|byte| byte & IN_USE != 0).collect())
}

/// The starts of the huge pages that a range has room for.
fn huge_pages_within(start: usize, end: usize) -> impl Iterator<Item = usize> {
    let all = (start.next_multiple_of(HUGE_PAGE)..).step_by(HUGE_PAGE);
    all.take_while(move |start| start + HUGE_PAGE <= end)
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split_whitespace();
        let (range, permissions) = (columns.next()?, columns.next()?.as_bytes());
        let (start, end) = range.split_once('-')?;
        let (_offset, _device, inode) = (columns.next()?, columns.next()?, columns.next()?);
        let &[readable, writable, executable, shared_or_private] = permissions else { return None };
        Some(Self {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            readable: readable == b'r',
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
    use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, munmap};

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
    fn pages_are_used_once_they_have_contents() {
        let size = 4 * SMALLEST_PAGE;
        let read_and_write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping, wherever there is room.
        let memory =
            unsafe { mmap_anonymous(None, size.try_into().unwrap(), read_and_write, MapFlags::MAP_PRIVATE) };
        let memory = memory.unwrap();
        // SAFETY: the range is this mapping, and nothing is in it yet.
        unsafe { madvise(memory, size, MmapAdvise::MADV_NOHUGEPAGE) }.unwrap();
        let second = (memory.as_ptr() as usize + SMALLEST_PAGE) as *mut u8;
        // SAFETY: the second page of the mapping.
        unsafe { second.write_volatile(1) };
        assert_eq!(used_pages(memory.as_ptr() as usize, size), Some(vec![false, true, false, false]));
        // SAFETY: nothing points to the mapping any more.
        unsafe { munmap(memory, size) }.unwrap();
    }

    #[test]
    fn huge_pages_lie_within() {
        let within = |start, end| huge_pages_within(start, end).collect::<Vec<_>>();
        assert_eq!(within(0x10_0000, 0x70_0000), [0x20_0000, 0x40_0000]);
        assert_eq!(within(0x10_0000, 0x3f_f000), [0usize; 0]);
    }

    #[test]
    fn figures_are_found_by_their_whole_name() {
        let status = "VmSize:\t  449000 kB\nVmData:\t  431000 kB\nRssAnon:\t   13024 kB\n";
        assert_eq!(kilobytes(status, "VmData:"), Some(431_000));
        assert_eq!(kilobytes(status, "Data:"), None);
        assert!(reserved_bytes() > 0);
    }
}
