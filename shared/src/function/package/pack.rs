//! Making a zip. The same files make the same bytes, so that code which did not change makes no new version.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::{LINK, REGULAR};

/// A zip that is being made.
#[derive(Debug)]
pub struct Packer {
    archive: ZipArchiveWriter<Vec<u8>>,
}

impl Default for Packer {
    fn default() -> Self {
        Self { archive: ZipArchiveWriter::new(Vec::new()) }
    }
}

impl Packer {
    /// Adds a file. `path` has `/` between its names.
    ///
    /// # Errors
    /// When the zip can't hold it.
    pub fn file(&mut self, path: &str, content: &[u8], is_executable: bool) -> io::Result<()> {
        self.add(path, content, REGULAR | if is_executable { 0o755 } else { 0o644 })
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// When the zip can't hold it.
    pub fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.add(path, target.as_bytes(), LINK | 0o777)
    }

    fn add(&mut self, path: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let file = self.archive.new_file(EntryPath::verbatim(path.as_bytes()));
        let file = file.compression_method(CompressionMethod::DEFLATE).unix_permissions(mode);
        let (mut entry, config) = file.start().map_err(io::Error::other)?;
        let mut content_writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        content_writer.write_all(content)?;
        let (encoder, description) = content_writer.finish().map_err(io::Error::other)?;
        encoder.finish()?;
        entry.finish(description).map_err(io::Error::other)?;
        Ok(())
    }

    /// The zip's bytes.
    ///
    /// # Errors
    /// When there is too much in it.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.archive.finish().map_err(io::Error::other)
    }
}
