//! The heap of 32 MiB for short-lived arrays and hashes that Ruby has up to 3.2. At its start Ruby writes to the first
//! page of each block of it, and later uses a few blocks. These thousand pages made up half of what a fork copies.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::process::abort;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};

use super::{Mapping, SMALLEST_PAGE, used_pages};

const HEAP_BYTES: usize = 32 << 20;
const BLOCK_PAGES: usize = (32 << 10) / SMALLEST_PAGE;

/// Moves the transient heap, if `mapping` is it, to a file in memory that nobody but forks of this process can reach.
/// A page that an execution writes to becomes its own; the file takes at most the heap's 32 MiB.
pub(super) fn move_to_file(mapping: &Mapping) {
    if mapping.end - mapping.start != HEAP_BYTES {
        return;
    }
    let Some(used) = used_pages(mapping.start, HEAP_BYTES).filter(|used| is_hardly_used(used)) else {
        return;
    };
    // What can't be had leaves the heap as it is.
    if let Ok(file) = copy(mapping.start, &used) {
        put_in_place(mapping.start, &file);
    }
}

/// Whether these are pages of a transient heap, the first of every block and few others.
fn is_hardly_used(used: &[bool]) -> bool {
    let count = used.iter().filter(|&&used| used).count();
    used.chunks(BLOCK_PAGES).all(|block| block[0]) && count <= used.len() / 4
}

fn copy(start: usize, used: &[bool]) -> io::Result<File> {
    let file = File::from(memfd_create("transient-heap", MFdFlags::MFD_CLOEXEC)?);
    file.set_len(HEAP_BYTES as u64)?;
    for page in (0..used.len()).filter(|&page| used[page]) {
        let offset = page * SMALLEST_PAGE;
        // SAFETY: the page is readable; Ruby's one thread does not run meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts((start + offset) as *const u8, SMALLEST_PAGE) };
        file.write_all_at(bytes, offset as u64)?;
    }
    Ok(file)
}

fn put_in_place(start: usize, file: &File) {
    let (Some(place), Some(length)) = (NonZeroUsize::new(start), NonZeroUsize::new(HEAP_BYTES)) else {
        return;
    };
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED;
    // SAFETY: the file has what is at that place now, byte for byte.
    if unsafe { mmap(Some(place), length, protection, flags, file, 0) }.is_err() {
        // The heap may be gone.
        abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transient_heap_has_used_the_first_page_of_every_block() {
        let pages = HEAP_BYTES / SMALLEST_PAGE;
        let new: Vec<bool> = (0..pages).map(|page| page % BLOCK_PAGES == 0).collect();
        assert!(is_hardly_used(&new));
        assert!(!is_hardly_used(&vec![true; pages]), "somebody's large array");
        assert!(!is_hardly_used(&new[1..]), "sparse, but otherwise");
        assert!(!is_hardly_used(&vec![false; pages]));
    }
}
