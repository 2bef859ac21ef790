//! How a zygote prepares its memory once it is warm, so that forks of it are cheap: a fork copies page tables, and
//! the child pays for each page that it then touches.

use std::fs;

use nix::libc;

const HUGE_PAGE: usize = 2 << 20;
const SMALLEST_PAGE: usize = 4 << 10;
/// The advice to madvise(2) to collapse pages. Linux has it since 6.1, but not every libc's headers do.
const MADV_COLLAPSE: libc::c_int = 25;
/// The largest chunk that malloc cuts from its heap by default; larger ones are mappings of their own.
const LARGEST_CHUNK: usize = 120 << 10;
const CHUNK_ALIGNMENT: usize = 16;

/// Moves the warm heap into huge pages, which need short page tables. It reads /proc, so it must be called before
/// confinement.
pub fn collapse_heap() {
    // Ruby switches huge pages off for its process, so we switch them on again.
    // SAFETY: a prctl with plain numbers.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0) };
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    maps.lines().filter_map(anonymous_range).for_each(|(start, end)| collapse(start, end));
}

/// Address space for data that the warm interpreter has reserved but does not use, in bytes. With Ruby 3.3 this is
/// 0.4 GiB, for the shapes of objects. It takes no memory, but counts against RLIMIT_DATA. It is found in /proc, so
/// this must be called before confinement.
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

/// Collapses the pages of a range into huge pages. Pages that the kernel refuses to collapse stay as they are.
fn collapse(start: usize, end: usize) {
    let mut page = start.next_multiple_of(HUGE_PAGE);
    while page + HUGE_PAGE <= end {
        let address = page as *mut libc::c_void;
        if is_mostly_used(address) {
            // SAFETY: the range lies within a mapping of ours, and its contents do not change.
            unsafe { libc::madvise(address, HUGE_PAGE, MADV_COLLAPSE) };
        }
        page += HUGE_PAGE;
    }
}

/// Whether at least half of a future huge page is in memory. Collapsing it fills the rest with zeros, which takes
/// memory.
fn is_mostly_used(start: *mut libc::c_void) -> bool {
    let mut resident = [0u8; HUGE_PAGE / SMALLEST_PAGE];
    // SAFETY: mincore fills at most one byte for each page of the range.
    let done = unsafe { libc::mincore(start, HUGE_PAGE, resident.as_mut_ptr()) };
    let used = resident.iter().filter(|&&page| page & 1 != 0).count();
    done == 0 && used >= resident.len() / 2
}

/// Allocates every free chunk that lies between used ones. What a child allocates then lies together behind them all,
/// and touches few pages. Scattered over all gaps, a short function's allocations touched a hundred.
pub fn fill_gaps() {
    // SAFETY: no preconditions.
    let untouched = unsafe { libc::mallinfo2() }.keepcost;
    // SAFETY: sbrk(0) returns the end of the heap, and leaves it where it is.
    let end = unsafe { libc::sbrk(0) };
    let beyond = end.wrapping_byte_sub(untouched);
    let mut size = LARGEST_CHUNK;
    while size > 0 {
        // SAFETY: malloc with a plain size.
        let chunk = unsafe { libc::malloc(size) };
        // A chunk that fills a gap is never freed.
        if !chunk.is_null() && chunk < beyond {
            continue;
        }
        // SAFETY: the chunk comes from malloc, or is null, and nothing points to it.
        unsafe { libc::free(chunk) };
        size -= CHUNK_ALIGNMENT;
    }
}

/// The addresses of a line of /proc/self/maps, if it is a private anonymous writable mapping and not the stack.
fn anonymous_range(line: &str) -> Option<(usize, usize)> {
    let mut columns = line.split_whitespace();
    let (range, permissions) = (columns.next()?, columns.next()?);
    let (_offset, _device, inode) = (columns.next()?, columns.next()?, columns.next()?);
    let path = columns.next().unwrap_or_default();
    if !permissions.starts_with("rw") || !permissions.ends_with('p') || inode != "0" || path == "[stack]" {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_anonymous_writable_memory_is_collapsed() {
        let heap = "7f00-8f00 rw-p 00000000 00:00 0    [heap]";
        assert_eq!(anonymous_range(heap), Some((0x7f00, 0x8f00)));
        assert_eq!(anonymous_range("7f00-8f00 rw-p 00000000 08:01 42 /usr/lib/libruby.so"), None);
        assert_eq!(anonymous_range("7f00-8f00 r--p 00000000 00:00 0"), None);
        assert_eq!(anonymous_range("7f00-8f00 rw-p 00000000 00:00 0 [stack]"), None);
        assert_eq!(anonymous_range("nonsense"), None);
    }

    #[test]
    fn figures_are_found_by_their_whole_name() {
        let status = "VmSize:\t  449000 kB\nVmData:\t  431000 kB\nRssAnon:\t   13024 kB\n";
        assert_eq!(kilobytes(status, "VmData:"), Some(431_000));
        assert_eq!(kilobytes(status, "Data:"), None);
        assert!(reserved_bytes() > 0);
    }
}
