//! The code of Ruby's library. An execution maps it 16 pages at a time, with a page fault for each time, and clears the
//! entries of all of them at its end. In a huge page it takes no fault and one entry.

use std::ptr::NonNull;

use nix::errno::Errno;
use nix::libc::{self, c_void};
use nix::sys::mman::{MRemapFlags, MapFlags, ProtFlags, mmap_anonymous, mprotect, mremap, munmap};

use super::{HUGE_PAGE, MADV_COLLAPSE, Mapping, huge_pages_within};

/// Puts all code that fills whole huge pages into some. Constants that share a huge page with code are then executable,
/// too; nothing that is executable is writable.
pub(super) fn collapse(mappings: &[Mapping]) {
    for start in huge_pages_of_code(mappings) {
        // What the kernel refuses stays where it is.
        let _ = replace(start);
    }
}

/// Where huge pages can stand that hold nothing but one file's code and constants, and some code.
fn huge_pages_of_code(mappings: &[Mapping]) -> Vec<usize> {
    let of_one_file = |before: &Mapping, after: &Mapping| {
        before.is_constant()
            && after.is_constant()
            && before.inode == after.inode
            && before.end == after.start
    };
    let mut starts = vec![];
    for together in mappings.chunk_by(of_one_file).filter(|together| together[0].is_constant()) {
        let (first, last) = (&together[0], &together[together.len() - 1]);
        let code = |start| {
            let end = start + HUGE_PAGE;
            together.iter().any(|part| part.executable && part.start < end && start < part.end)
        };
        starts.extend(huge_pages_within(first.start, last.end).filter(|&start| code(start)));
    }
    starts
}

/// Copies what lies at `start` into a huge page, and puts that into its place.
fn replace(start: usize) -> Result<(), Errno> {
    // Room for one that is aligned.
    let room = 2 * HUGE_PAGE;
    let length = room.try_into().map_err(|_| Errno::EINVAL)?;
    let read_and_write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping, wherever there is room.
    let area = unsafe { mmap_anonymous(None, length, read_and_write, MapFlags::MAP_PRIVATE) }?;
    let unaligned = area.as_ptr() as usize;
    let aligned = unaligned.next_multiple_of(HUGE_PAGE);
    let moved = fill(aligned, start).and_then(|copy| put_in_place(copy, start));
    let ends = match moved {
        Ok(()) => vec![(unaligned, aligned), (aligned + HUGE_PAGE, unaligned + room)],
        Err(_) => vec![(unaligned, unaligned + room)],
    };
    for (from, to) in ends.into_iter().filter(|(from, to)| from < to) {
        let from = NonNull::new(from as *mut c_void).ok_or(Errno::EFAULT)?;
        // SAFETY: this part of the new mapping is still there, and nothing points to it.
        unsafe { munmap(from, to - from.as_ptr() as usize) }?;
    }
    moved
}

/// Makes a huge page of the copy.
fn fill(copy: usize, original: usize) -> Result<NonNull<c_void>, Errno> {
    // SAFETY: both are of this size and do not overlap; the copy is new, and the original is readable and constant.
    unsafe { std::ptr::copy_nonoverlapping(original as *const u8, copy as *mut u8, HUGE_PAGE) };
    // SAFETY: the range is a mapping of ours, and its contents do not change.
    Errno::result(unsafe { libc::madvise(copy as *mut c_void, HUGE_PAGE, MADV_COLLAPSE) })?;
    let copy = NonNull::new(copy as *mut c_void).ok_or(Errno::EFAULT)?;
    // SAFETY: nobody writes to the copy from now on.
    unsafe { mprotect(copy, HUGE_PAGE, ProtFlags::PROT_READ | ProtFlags::PROT_EXEC) }?;
    Ok(copy)
}

fn put_in_place(copy: NonNull<c_void>, original: usize) -> Result<(), Errno> {
    let place = NonNull::new(original as *mut c_void);
    let flags = MRemapFlags::MREMAP_MAYMOVE | MRemapFlags::MREMAP_FIXED;
    // SAFETY: what is at that place now is the same, byte for byte, for all threads at once.
    unsafe { mremap(copy, HUGE_PAGE, HUGE_PAGE, flags, place) }.map(drop)
}

impl Mapping {
    /// Whether this is a file's code or constants.
    fn is_constant(&self) -> bool {
        self.readable && !self.writable && self.private && self.inode != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mappings(lines: &[&str]) -> Vec<Mapping> {
        lines.iter().filter_map(|line| Mapping::parse(line)).collect()
    }

    #[test]
    fn code_is_found_in_whole_huge_pages_of_one_file() {
        let library = mappings(&[
            "200000-233000 r--p 00000000 fe:00 7 /usr/lib/libruby.so",
            "233000-48d000 r-xp 00033000 fe:00 7 /usr/lib/libruby.so",
            "48d000-800000 r--p 0028d000 fe:00 7 /usr/lib/libruby.so",
            "800000-900000 rw-p 00600000 fe:00 7 /usr/lib/libruby.so",
        ]);
        assert_eq!(huge_pages_of_code(&library), [0x20_0000, 0x40_0000], "the third has constants alone");
        let others = mappings(&[
            "200000-300000 r-xp 00000000 fe:00 7 /usr/lib/one.so",
            "300000-400000 r-xp 00000000 fe:00 8 /usr/lib/another.so",
            "600000-7ff000 r-xp 00000000 fe:00 9 /usr/lib/small.so",
            "800000-900000 r-xp 00000000 fe:00 10 /usr/lib/gap.so",
            "900000-a00000 ---p 00100000 fe:00 10 /usr/lib/gap.so",
            "a00000-c00000 r-xp 00000000 00:00 0",
        ]);
        assert_eq!(huge_pages_of_code(&others), [0usize; 0]);
    }
}
