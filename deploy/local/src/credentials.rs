//! The access key: made of chance at the first start, kept in a file that only its owner may read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const SECRET_BYTES: usize = 30;

/// One access key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl Credentials {
    pub(crate) fn load_or_make(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    fn make(path: &Path) -> io::Result<Self> {
        let credentials = Self {
            access_key_id: format!("LOCAL{:016X}", rand::random::<u64>()),
            secret_access_key: URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>()),
        };
        let unfinished = path.with_extension("unfinished");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&serde_json::to_vec(&credentials)?)?;
        file.sync_all()?;
        fs::rename(unfinished, path)?;
        Ok(credentials)
    }
}
