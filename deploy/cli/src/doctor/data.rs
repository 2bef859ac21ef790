//! The folder of `up`.

use std::fs;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::Check;
use crate::connection::running_in;

const MIB: u64 = 1024 * 1024;
/// Below that, SQLite's log may soon find no room.
const FREE_MIB: u64 = 256;

pub(super) fn examine(data: &Path) -> Check {
    let shown = data.display();
    if !data.exists() {
        return Check::absent("data", format!("there is no {shown}"), "`badlambda up` makes it");
    }
    if let Err(error) = access(data, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK) {
        return Check::wrong(
            "data",
            format!("{shown}: {}", error.desc()),
            "let this user write there, or take another with --data",
        );
    }
    let free_mib = match statvfs(data) {
        Ok(disk) => disk.blocks_available() * disk.fragment_size() / MIB,
        Err(error) => return Check::wrong("data", format!("{shown}: {}", error.desc()), "look at the disk"),
    };
    let served = match running_in(data) {
        Ok(Some(url)) => format!("an `up` serves it on {url}"),
        Ok(None) => "no `up` serves it".to_owned(),
        Err(failure) => failure.to_string(),
    };
    let found = format!("{shown} holds {} MiB, and {free_mib} MiB are free; {served}", bytes(data) / MIB);
    if free_mib < FREE_MIB {
        return Check::wrong("data", found, "make room on this disk");
    }
    Check::right("data", found)
}

/// The size of the files in the folder.
fn bytes(data: &Path) -> u64 {
    let files = fs::read_dir(data).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(|file| file.is_file()).map(|file| file.len()).sum()
}
