//! A folder as a zip. The same files make the same bytes, so that a folder in which nothing changed makes no new version.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use badlambda_shared::function::package::{PackageError, Packer};
use badlambda_shared::limits;

use super::check_zip;
use crate::output::Failure;

/// Its name at the top of a folder, or beside Ruby files: what it says of functions is no part of their code.
pub const SETTINGS_FILE: &str = "badlambda.toml";
const MAY_EXECUTE: u32 = 0o100;

/// A zip of all files and links below the folder, but of those that [`is_packed`] leaves out.
pub(super) fn pack(folder: &Path) -> Result<Vec<u8>, Failure> {
    let mut packing = Packing { folder, packer: Packer::default(), entries: 0, bytes: 0 };
    packing.add_all_below(Path::new(""))?;
    let zip = packing.packer.finish().map_err(|error| refused(folder, &error))?;
    // What can't be in a zip, as a link out of it, is found by those who know.
    check_zip(folder, &zip)?;
    Ok(zip)
}

/// Whether what has this path, from the folder on, is part of its zip: what is hidden is not, nor what is in something hidden.
pub fn is_packed(path: &Path) -> bool {
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    path != Path::new(SETTINGS_FILE) && !path.iter().any(is_hidden)
}

/// A zip that is being made of a folder.
struct Packing<'a> {
    folder: &'a Path,
    packer: Packer,
    entries: usize,
    /// What is in the zip, unpacked.
    bytes: u64,
}

impl Packing<'_> {
    /// Adds what is in this folder, which has its path from the whole one on, in the order of names.
    fn add_all_below(&mut self, path: &Path) -> Result<(), Failure> {
        let whole = self.folder.join(path);
        let entries = fs::read_dir(&whole).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| unreadable(&whole, &error))?;
        let mut names: Vec<OsString> = entries.into_iter().map(|entry| entry.file_name()).collect();
        names.sort();
        let paths = names.iter().map(|name| path.join(name));
        paths.filter(|path| is_packed(path)).try_for_each(|path| self.add(&path))
    }

    fn add(&mut self, path: &Path) -> Result<(), Failure> {
        let whole = self.folder.join(path);
        let metadata = fs::symlink_metadata(&whole).map_err(|error| unreadable(&whole, &error))?;
        if metadata.is_dir() {
            return self.add_all_below(path);
        }
        self.entries += 1;
        if self.entries > limits::MAX_ZIP_ENTRIES {
            return Err(refused(self.folder, &PackageError::TooManyEntries));
        }
        let name = path.to_str().ok_or_else(|| refused(&whole, &"its name is not UTF-8; rename it"))?;
        let added = if metadata.is_symlink() {
            let target = fs::read_link(&whole).map_err(|error| unreadable(&whole, &error))?;
            let target = target
                .to_str()
                .ok_or_else(|| refused(&whole, &"it is a link to a name that is not UTF-8"))?;
            self.packer.link(name, target)
        } else if metadata.is_file() {
            let content = self.read(&whole, &metadata)?;
            self.packer.file(name, &content, metadata.permissions().mode() & MAY_EXECUTE != 0)
        } else {
            return Err(refused(
                &whole,
                &"it is neither a file, a folder nor a link; remove it, or put it elsewhere",
            ));
        };
        added.map_err(|error| refused(&whole, &error))
    }

    /// The content of a file, unless there is too much by now.
    fn read(&mut self, path: &Path, metadata: &Metadata) -> Result<Vec<u8>, Failure> {
        let too_large = || refused(self.folder, &PackageError::UnpackedTooLarge);
        let left = limits::MAX_UNPACKED_BYTES - self.bytes;
        if metadata.len() >= left {
            return Err(too_large());
        }
        let mut content = vec![];
        let read = File::open(path).and_then(|file| file.take(left).read_to_end(&mut content));
        read.map_err(|error| unreadable(path, &error))?;
        // It may have grown.
        if content.len() as u64 >= left {
            return Err(too_large());
        }
        self.bytes += content.len() as u64;
        Ok(content)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("could not read {}: {error}", path.display()))
}

fn refused(path: &Path, reason: &impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {reason}", path.display()))
}
