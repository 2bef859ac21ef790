//! Code and layers, unpacked from their zips: each package in a folder that executions may read, and never write.
//!
//! Every worker has a folder of its own, `worker-RANDOM`, beside a lock that it holds for as long as it lives. So what a
//! worker left that was killed is known by its lock, and is removed by the next one that starts. The name of a package's
//! folder is random, and the folder above can't be listed: a function finds its own code, and nobody else's.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::thread;

use badlambda_shared::function::package::{Entry, EntryKind, Package, overlay};

use super::sandbox::make_root;

const LOCK: &str = "lock";
/// What each file takes beside its content: half a block, and its entry.
const BYTES_OF_A_FILE: u64 = 3 * 1024;
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;
const PROGRAM_MODE: u32 = 0o755;

/// Where this worker's packages lie.
#[derive(Debug)]
pub(super) struct Packages {
    folder: PathBuf,
    /// The folder's path as executions see it.
    inside: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// A package's folder, which is removed when nobody needs it any more.
#[derive(Debug)]
pub struct Unpacked {
    folder: PathBuf,
    /// The folder's path as executions see it.
    pub(super) inside: String,
    bytes: u64,
}

impl Unpacked {
    /// What it takes, in bytes, more or less.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Packages {
    /// Makes this worker's folder in `root`, and removes those of workers that are no more. `root` is `inside` for
    /// executions.
    pub(super) fn start(root: &Path, inside: &Path) -> io::Result<Self> {
        make_root(root, "BADLAMBDA_PACKAGES_DIR")?;
        remove_abandoned(root)?;
        let (name, lock_path, lock) = take_name(root)?;
        let folder = root.join(&name);
        DirBuilder::new().mode(0o711).create(&folder)?;
        // Whatever the umask is.
        fs::set_permissions(&folder, Permissions::from_mode(0o711))?;
        Ok(Self { folder, inside: inside.join(name), lock_path, _lock: lock })
    }

    /// Unpacks zips that were checked when they were stored, each over those before it. Whatever they hold, nothing is
    /// written anywhere else.
    pub(super) fn unpack(&self, zips: &[impl AsRef<[u8]>]) -> io::Result<Unpacked> {
        let no_package = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let packages: Result<Vec<_>, _> = zips.iter().map(|zip| Package::read(zip.as_ref())).collect();
        let packages = packages.map_err(no_package)?;
        let entries = overlay(&packages);
        let name = format!("{:032x}", rand::random::<u128>());
        let folder = self.folder.join(&name);
        let bytes = entries.iter().map(|(_, entry)| entry.bytes + BYTES_OF_A_FILE).sum();
        let unpacked = Unpacked { folder, inside: self.inside.join(name).display().to_string(), bytes };
        make_folder(&unpacked.folder)?;
        for (package, entry) in entries {
            unpack_entry(package, entry, &unpacked.folder)?;
        }
        Ok(unpacked)
    }
}

impl Drop for Packages {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.lock_path);
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        let folder = std::mem::take(&mut self.folder);
        // Thousands of files take a while, and whoever drops it has better to do.
        thread::spawn(move || {
            if let Err(error) = fs::remove_dir_all(&folder)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, folder = %folder.display(), "a package is left behind");
            }
        });
    }
}

/// The entry's path can't lead out of `folder`: the package has checked that, and no link lies above it.
fn unpack_entry(package: &Package<'_>, entry: &Entry, folder: &Path) -> io::Result<()> {
    let path = folder.join(&entry.path);
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    match &entry.kind {
        EntryKind::Folder => make_folder(&path),
        EntryKind::Link { target } => symlink(target, &path),
        EntryKind::File { is_executable } => {
            let mode = if *is_executable { PROGRAM_MODE } else { FILE_MODE };
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            package.unpack(entry, &mut file)?;
            file.flush()?;
            file.set_permissions(Permissions::from_mode(mode))
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
}

/// A name that no other worker has, and its lock. Whoever removes what is abandoned may take a lock for that which is made at
/// this moment: then there is none any more, and another name is as good.
fn take_name(root: &Path) -> io::Result<(String, PathBuf, File)> {
    loop {
        let name = format!("worker-{:016x}", rand::random::<u64>());
        let lock_path = root.join(&name).with_extension(LOCK);
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock_path)?;
        lock.lock()?;
        if lock_path.exists() {
            return Ok((name, lock_path, lock));
        }
    }
}

/// Removes the folders whose locks nobody holds.
fn remove_abandoned(root: &Path) -> io::Result<()> {
    for found in fs::read_dir(root)? {
        let lock_path = found?.path();
        if lock_path.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        // It may be gone by now: another worker starts, too.
        let Ok(lock) = File::open(&lock_path) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(lock_path.with_extension(""));
            let _ = fs::remove_file(&lock_path);
        }
    }
    Ok(())
}
