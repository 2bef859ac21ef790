//! Where the `up` that runs in a folder serves. It leaves its address in a file that it holds locked: the kernel frees the
//! lock with it, however it ends, so that no command takes an old address for a running one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::output::Failure;

const FILE: &str = "up.json";

#[derive(Serialize, Deserialize)]
struct Announcement {
    /// The API's URL.
    api: String,
}

/// Leaves the API's URL in the folder of the data, for as long as what is returned lives.
///
/// # Errors
/// When it can't be written.
pub fn announce(data: &Path, api: &str) -> std::io::Result<File> {
    let mut file =
        OpenOptions::new().create(true).read(true).write(true).truncate(false).open(data.join(FILE))?;
    // A command that looks holds it for a moment.
    file.lock()?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(&Announcement { api: api.to_owned() })?)?;
    Ok(file)
}

/// The URL of the API that runs with its data in this folder, if one does.
pub fn running_in(data: &Path) -> Result<Option<String>, Failure> {
    let path = data.join(FILE);
    let Ok(mut file) = File::open(&path) else { return Ok(None) };
    match file.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(Failure::Ours(format!("{}: {error}", path.display()))),
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| Failure::Ours(format!("{}: {error}", path.display())))?;
    // While it is being written, nothing serves yet.
    Ok(serde_json::from_str(&text).ok().map(|Announcement { api }| api))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_there_only_while_it_is_served() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(running_in(folder.path()).unwrap(), None);
        for url in ["http://127.0.0.1:65535", "http://127.0.0.1:1"] {
            let announced = announce(folder.path(), url).unwrap();
            assert_eq!(running_in(folder.path()).unwrap().as_deref(), Some(url));
            drop(announced);
            assert_eq!(running_in(folder.path()).unwrap(), None);
        }
    }
}
