//! How code and inputs get into a process: as sealed memory files. A packet on a socket is too small for them, and an
//! execution must not be able to change a file that it shares with others.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::task::{Task, TaskCode};
use super::zygotes::lock;

const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// The code of recent revisions, each in one memory file.
#[derive(Debug)]
pub(super) struct CodeFiles(Mutex<LruCache<String, Arc<OwnedFd>>>);

impl CodeFiles {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }

    /// The file that holds the task's code.
    pub(super) fn of(&self, task: &Task) -> io::Result<Arc<OwnedFd>> {
        let mut files = lock(&self.0);
        if let Some(file) = files.get(&task.revision) {
            return Ok(Arc::clone(file));
        }
        // A package is found by its folder, which the context names.
        let code = match &task.code {
            TaskCode::Ruby(code) => code.as_bytes(),
            TaskCode::Package(_) => &[],
        };
        let file = Arc::new(sealed(&[code])?);
        files.put(task.revision.clone(), Arc::clone(&file));
        Ok(file)
    }
}

/// A memory file that holds the parts, one behind the other, and can't be changed.
pub(super) fn sealed(parts: &[&[u8]]) -> io::Result<OwnedFd> {
    let fd = memfd_create(c"badlambda", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = std::fs::File::from(fd);
    for part in parts {
        file.write_all(part)?;
    }
    let seals =
        SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}
