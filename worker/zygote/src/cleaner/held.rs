//! Measures what the processes of a uid hold outside of folders: memory, and files without a name. The kernel lets a
//! process with an execution's uid inspect that execution. Besides the sandbox's own processes, only the cleaner has
//! this uid.

use std::collections::HashSet;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The memory that the processes of `uid` hold, in bytes. A page that several of them map counts only once.
pub fn memory_bytes(uid: u32) -> u64 {
    folders_of(uid).filter_map(|folder| proportional_bytes(&folder)).sum()
}

/// The proportional set size (PSS) of a process: each page counts in part, by how many processes map it. Any thread
/// has this figure, so it does not matter if the first thread has ended.
fn proportional_bytes(folder: &Path) -> Option<u64> {
    let threads = fs::read_dir(folder.join("task")).ok()?.flatten();
    let rollup =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("smaps_rollup")).ok()).next()?;
    let kilobytes = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    kilobytes.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Files without a name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unnamed {
    pub bytes: u64,
    /// Whether descriptors are on their way through a socket. The size of their files can't be found out.
    pub sent: bool,
}

/// The files of `uid` that have no name any more, but that its processes have open, or have mapped from `scratch`.
/// The size of a file that is only mapped can't be found out, so such a file counts as more than `most`.
pub fn unnamed(uid: u32, scratch: &OwnedFd, most: u64) -> Unnamed {
    let mut sent = false;
    let Ok(path) = fs::read_link(format!("/proc/self/fd/{}", scratch.as_raw_fd())) else {
        return Unnamed { bytes: u64::MAX, sent };
    };
    let path = format!("{}/", path.display());
    let mut files = HashSet::new();
    let mut bytes: u64 = 0;
    for folder in folders_of(uid) {
        let open = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
        for (entry, file) in
            open.filter_map(|entry| Some((entry.file_name(), fs::metadata(entry.path()).ok()?)))
        {
            let unnamed = file.is_file() && file.nlink() == 0 && file.uid() == uid;
            if unnamed && files.insert(file.ino()) {
                bytes = bytes.saturating_add(file.blocks() * 512);
            }
            sent |= file.file_type().is_socket() && holds_descriptors(&folder.join("fdinfo").join(entry));
        }
    }
    for folder in folders_of(uid) {
        let maps = fs::read_to_string(folder.join("maps")).unwrap_or_default();
        for inode in maps.lines().filter_map(|line| unnamed_mapping(line, &path)) {
            if files.insert(inode) {
                bytes = bytes.saturating_add(most).saturating_add(1);
            }
        }
    }
    Unnamed { bytes, sent }
}

/// Whether descriptors wait in a socket to be received, according to the socket's file in /proc/PID/fdinfo.
fn holds_descriptors(info: &Path) -> bool {
    let info = fs::read_to_string(info).unwrap_or_default();
    let count = info.lines().find_map(|line| line.strip_prefix("scm_fds:"));
    count.is_some_and(|count| count.trim() != "0")
}

/// The inode of a deleted file that was in `folder` and is mapped, from a line of /proc/PID/maps. A line has range,
/// rights, offset, device, inode and path.
fn unnamed_mapping(line: &str, folder: &str) -> Option<u64> {
    let path = line.strip_suffix(" (deleted)")?;
    let inode = line.split_ascii_whitespace().nth(4)?.parse().ok()?;
    path.contains(folder).then_some(inode)
}

/// The folders in /proc of the processes that `uid` owns.
fn folders_of(uid: u32) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .filter(move |entry| entry.metadata().is_ok_and(|folder| folder.uid() == uid))
        .map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use nix::sys::socket::{
        AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
    };

    use super::*;

    #[test]
    fn mapped_files_without_a_name_are_told_apart() {
        let line =
            "7f00-8f00 rw-s 00000000 00:1a 4711                       /scratch/sandbox-1/scratch/x (deleted)";
        assert_eq!(unnamed_mapping(line, "/scratch/sandbox-1/scratch/"), Some(4711));
        assert_eq!(unnamed_mapping(line, "/scratch/sandbox-2/scratch/"), None);
        assert_eq!(unnamed_mapping(line.trim_end_matches(" (deleted)"), "/scratch/sandbox-1/scratch/"), None);
        assert_eq!(unnamed_mapping(" (deleted)", ""), None);
    }

    #[test]
    fn descriptors_on_their_way_are_seen() {
        let (sender, receiver) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::empty()).unwrap();
        let info = PathBuf::from(format!("/proc/self/fdinfo/{}", receiver.as_raw_fd()));
        assert!(!holds_descriptors(&info));
        let (iov, fds) = ([IoSlice::new(b"x")], [sender.as_raw_fd()]);
        sendmsg::<()>(sender.as_raw_fd(), &iov, &[ControlMessage::ScmRights(&fds)], MsgFlags::empty(), None)
            .unwrap();
        assert!(holds_descriptors(&info));
    }

    #[test]
    fn memory_of_this_process_is_seen() {
        assert!(memory_bytes(nix::unistd::geteuid().as_raw()) > 1 << 20);
    }

    #[test]
    fn a_file_without_a_name_is_seen_while_it_is_open() {
        let folder: OwnedFd = fs::File::open(std::env::temp_dir()).unwrap().into();
        let uid = nix::unistd::geteuid().as_raw();
        let before = unnamed(uid, &folder, 1 << 40).bytes;
        let path = std::env::temp_dir().join(format!("cleaner-unnamed-{}", std::process::id()));
        fs::write(&path, vec![1; 3_000_000]).unwrap();
        let file = fs::File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(unnamed(uid, &folder, 1 << 40).bytes >= before + 3_000_000);
        drop(file);
    }
}
