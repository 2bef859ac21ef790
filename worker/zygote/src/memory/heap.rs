//! malloc's heap.

use nix::libc;

use super::{HUGE_PAGE, MADV_COLLAPSE, Mapping, huge_pages_within, used_pages};

/// The largest chunk that malloc cuts from its heap by default; larger ones are mappings of their own.
const LARGEST_CHUNK: usize = 120 << 10;
const CHUNK_ALIGNMENT: usize = 16;

/// Lets what is allocated from now on begin at a huge page's boundary. Called before Ruby starts: what Ruby allocates
/// first, it writes to least, and that then fills whole huge pages.
pub fn align() {
    // SAFETY: sbrk(0) returns the end of the heap, and leaves it where it is.
    let end = unsafe { libc::sbrk(0) } as usize;
    let missing = end.next_multiple_of(HUGE_PAGE) - end;
    // SAFETY: the heap grows, and malloc expects that others let it grow, too.
    unsafe { libc::sbrk(missing as libc::intptr_t) };
}

/// Collapses the pages of a mapping into huge pages. Pages that the kernel refuses to collapse stay as they are.
pub(super) fn collapse(mapping: &Mapping) {
    for start in huge_pages_within(mapping.start, mapping.end).filter(|&start| is_mostly_used(start)) {
        // SAFETY: the range lies within a mapping of ours, and its contents do not change.
        unsafe { libc::madvise(start as *mut libc::c_void, HUGE_PAGE, MADV_COLLAPSE) };
    }
}

/// Whether at least half of a future huge page is in use. Collapsing it fills the rest with zeros, which takes memory.
fn is_mostly_used(start: usize) -> bool {
    used_pages(start, HUGE_PAGE)
        .is_some_and(|pages| pages.iter().filter(|&&used| used).count() >= pages.len() / 2)
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
