//! Code in a zip. Whoever stores one and whoever unpacks one read it through here, so that both see the same files.
//!
//! Nothing that a zip says is believed: its directory is checked by [`Package::read`], and what is packed by
//! [`Package::verify`], before anything is written anywhere.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipFileHeaderRecord, ZipSliceArchive};

use crate::limits;

mod overlay;
mod pack;
mod path;
#[cfg(test)]
mod tests;

pub use self::overlay::overlay;
pub use self::pack::Packer;

/// Of a Unix mode: the bits that say what kind of file it is, and those kinds.
const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const MAY_EXECUTE: u32 = 0o100;

/// Why a zip is not taken as code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It is none, or broken.
    #[error("it is not a zip, or a damaged one: {0}; make it again, for example with `zip -r code.zip .`")]
    NotAZip(String),
    /// The file itself is too large.
    #[error(
        "the zip must have at most {} bytes; leave out what the code does not need",
        limits::MAX_ZIP_BYTES
    )]
    TooLarge,
    /// What it holds is too large.
    #[error(
        "what is in the zip must have less than {} bytes together; leave out what the code does not need",
        limits::MAX_UNPACKED_BYTES
    )]
    UnpackedTooLarge,
    /// There is too much in it.
    #[error(
        "the zip must have at most {} entries; leave out what the code does not need",
        limits::MAX_ZIP_ENTRIES
    )]
    TooManyEntries,
    /// It holds no file.
    #[error("the zip holds no file; put the code into it, with its first file at the top")]
    Empty,
    /// An entry that must not be in it.
    #[error("the entry {path:?} {reason}; leave it out")]
    Entry {
        /// As the zip has it, as far as it can be shown.
        path: String,
        /// What is wrong, as the end of a sentence.
        reason: &'static str,
    },
}

/// A zip whose directory was checked.
#[derive(Debug)]
pub struct Package<'a> {
    archive: ZipSliceArchive<&'a [u8]>,
    entries: Vec<Entry>,
    unpacked_bytes: u64,
}

/// One file, folder or link of a package.
#[derive(Debug)]
pub struct Entry {
    /// Where it is, from the package's root on: names with `/` between them, none of them special.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The size of its content.
    pub bytes: u64,
    content: Content,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Whether it may be run as a program.
        is_executable: bool,
    },
    /// A symbolic link, which leads to something inside the package, if to anything.
    Link {
        /// Where it leads, from its own folder on.
        target: String,
    },
}

/// Where an entry's content lies, and how.
#[derive(Debug)]
struct Content {
    place: ZipArchiveEntryWayfinder,
    is_compressed: bool,
}

impl<'a> Package<'a> {
    /// Reads the zip's directory, and checks every entry of it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(zip: &'a [u8]) -> Result<Self, PackageError> {
        if zip.len() as u64 > limits::MAX_ZIP_BYTES {
            return Err(PackageError::TooLarge);
        }
        let archive = ZipArchive::from_slice(zip).map_err(damaged)?;
        let (mut entries, mut unpacked_bytes) = (Vec::new(), 0u64);
        for record in archive.entries() {
            let record = record.map_err(damaged)?;
            let entry = entry(&archive, &record)?;
            unpacked_bytes = unpacked_bytes.saturating_add(entry.bytes);
            if unpacked_bytes >= limits::MAX_UNPACKED_BYTES {
                return Err(PackageError::UnpackedTooLarge);
            }
            entries.push(entry);
            if entries.len() > limits::MAX_ZIP_ENTRIES {
                return Err(PackageError::TooManyEntries);
            }
        }
        let is_bomb = unpacked_bytes > limits::UNSUSPICIOUS_UNPACKED_BYTES
            && unpacked_bytes / limits::MAX_ZIP_RATIO > zip.len() as u64;
        if is_bomb {
            return Err(PackageError::UnpackedTooLarge);
        }
        check_places(&archive, &entries)?;
        check_paths(&entries)?;
        Ok(Self { archive, entries, unpacked_bytes })
    }

    /// What is in it, in the zip's own order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The size of all content together.
    pub fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes
    }

    /// The content of the file at this path, if there is one.
    ///
    /// # Errors
    /// When it is not what the zip's directory says.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, PackageError> {
        let is_it = |entry: &&Entry| entry.path == path && matches!(entry.kind, EntryKind::File { .. });
        let Some(entry) = self.entries.iter().find(is_it) else { return Ok(None) };
        let mut content = Vec::new();
        self.unpack(entry, &mut content).map_err(|error| unreadable(&entry.path, &error))?;
        Ok(Some(content))
    }

    /// Unpacks everything into nowhere, to see that it is what the zip's directory says. Takes some seconds at most.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self) -> Result<(), PackageError> {
        self.entries.iter().try_for_each(|entry| {
            self.unpack(entry, &mut io::sink()).map_err(|error| unreadable(&entry.path, &error))
        })
    }

    /// Writes the content of an entry, which is one of this package's, to `to`.
    ///
    /// # Errors
    /// When the content is not what the zip's directory says, or can't be written.
    pub fn unpack(&self, entry: &Entry, to: &mut impl Write) -> io::Result<()> {
        unpack(&self.archive, &entry.content, entry.bytes, to)
    }
}

fn unpack(
    archive: &ZipSliceArchive<&[u8]>,
    content: &Content,
    bytes: u64,
    to: &mut impl Write,
) -> io::Result<()> {
    let packed = archive.get_entry(content.place).map_err(io::Error::other)?;
    let plain: Box<dyn Read + '_> = if content.is_compressed {
        Box::new(DeflateDecoder::new(packed.data()))
    } else {
        Box::new(packed.data())
    };
    // One byte more than there should be, so that the verifier sees that there is too much.
    let mut plain = packed.verifying_reader(plain.take(bytes + 1));
    io::copy(&mut plain, to).map(|_| ())
}

/// Checks what the directory says of one entry.
fn entry(archive: &ZipSliceArchive<&[u8]>, record: &ZipFileHeaderRecord<'_>) -> Result<Entry, PackageError> {
    let raw = record.file_path();
    let refused = |reason| PackageError::Entry { path: path::shown(raw.as_bytes()), reason };
    let path = path::checked(raw.as_bytes()).map_err(refused)?;
    if record.flags().is_encrypted() {
        return Err(refused("is encrypted"));
    }
    let is_compressed = match record.compression_method() {
        CompressionMethod::STORE => false,
        CompressionMethod::DEFLATE => true,
        _ => return Err(refused("is compressed in a way that is not known here: use deflate")),
    };
    let bytes = record.uncompressed_size_hint();
    let packed = archive.get_entry(record.wayfinder()).map_err(|_| refused("has no content in the zip"))?;
    if packed.local_header().file_path().as_bytes() != raw.as_bytes() {
        return Err(refused("has two names"));
    }
    let content = Content { place: record.wayfinder(), is_compressed };
    let mode = record.mode().value();
    let kind = match mode & KIND {
        _ if raw.is_dir() => EntryKind::Folder,
        FOLDER => EntryKind::Folder,
        // A zip that was made elsewhere than on Unix says nothing of kinds.
        REGULAR | 0 => EntryKind::File { is_executable: mode & MAY_EXECUTE != 0 },
        LINK if bytes > limits::MAX_PATH_BYTES as u64 => {
            return Err(refused("is a link with too long a target"));
        }
        LINK => {
            let mut target = Vec::new();
            unpack(archive, &content, bytes, &mut target).map_err(|_| refused("is a damaged link"))?;
            EntryKind::Link { target: path::checked_target(&path, target).map_err(refused)? }
        }
        _ => return Err(refused("is neither a file nor a folder")),
    };
    if kind == EntryKind::Folder && bytes != 0 {
        return Err(refused("is a folder with content"));
    }
    Ok(Entry { path, kind, bytes, content })
}

/// No two entries may share bytes of the zip, as those of a bomb do.
fn check_places(archive: &ZipSliceArchive<&[u8]>, entries: &[Entry]) -> Result<(), PackageError> {
    let place = |entry: &Entry| {
        let packed = archive.get_entry(entry.content.place).map_err(damaged)?;
        Ok((packed.compressed_data_range(), entry.path.clone()))
    };
    let mut places: Vec<((u64, u64), String)> = entries.iter().map(place).collect::<Result<_, _>>()?;
    places.sort();
    let shares = places.windows(2).find(|pair| pair[0].0.1 > pair[1].0.0);
    match shares {
        Some([_, (_, path)]) => {
            Err(PackageError::Entry { path: path.clone(), reason: "shares its content with another one" })
        }
        _ => Ok(()),
    }
}

/// Each path may be there once, and only a folder may have anything below it.
fn check_paths(entries: &[Entry]) -> Result<(), PackageError> {
    let refused = |path: &str, reason| Err(PackageError::Entry { path: path.to_owned(), reason });
    let mut kinds = BTreeMap::new();
    for entry in entries {
        if kinds.insert(entry.path.as_str(), &entry.kind).is_some() {
            return refused(&entry.path, "is there twice");
        }
    }
    for entry in entries {
        let parents = entry.path.match_indices('/').map(|(end, _)| &entry.path[..end]);
        for parent in parents {
            if kinds.get(parent).is_some_and(|kind| **kind != EntryKind::Folder) {
                return refused(&entry.path, "lies below something that is no folder");
            }
        }
    }
    if entries.iter().all(|entry| entry.kind == EntryKind::Folder) {
        return Err(PackageError::Empty);
    }
    Ok(())
}

fn damaged(error: impl std::fmt::Display) -> PackageError {
    PackageError::NotAZip(error.to_string())
}

fn unreadable(path: &str, _: &io::Error) -> PackageError {
    PackageError::Entry { path: path.to_owned(), reason: "is damaged" }
}
