//! Where an object is kept: keys can't leave their bucket, and long ones fit a file name.

use s3s::{S3Result, s3_error};
use sha2::{Digest, Sha256};

/// `s3s-fs` puts a key in base 64 into a file's name, which can have 255 bytes.
const MAX_FILE_KEY_BYTES: usize = 140;
/// Where objects with longer keys are kept, under a digest; these can be read and written, but not listed.
pub(crate) const LONG_KEYS: &str = ".long-keys";

/// The key under which an object is kept.
pub(crate) fn kept_as(key: &str) -> S3Result<String> {
    if key.split('/').any(|segment| ["", ".", ".."].contains(&segment)) || key.contains('\0') {
        return Err(s3_error!(
            InvalidArgument,
            "the embedded S3 takes no empty, `.` or `..` segments in a key"
        ));
    }
    if key.strip_prefix(LONG_KEYS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Err(s3_error!(InvalidArgument, "the embedded S3 keeps objects with long keys there"));
    }
    if key.len() <= MAX_FILE_KEY_BYTES {
        return Ok(key.to_owned());
    }
    let digest = hex::encode(Sha256::digest(key));
    Ok(format!("{LONG_KEYS}/{digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_their_bucket() {
        for bad in
            ["../x", "a/../../x", "/x", "a//b", "./a", "a/./b", "..", "a/", ".long-keys/x", ".long-keys"]
        {
            assert!(kept_as(bad).is_err(), "{bad}");
        }
        assert_eq!(kept_as("functions/a/function.json").unwrap(), "functions/a/function.json");
    }

    #[test]
    fn a_long_key_fits_a_file_name() {
        let long = "k/".repeat(200) + "x";
        let kept = kept_as(&long).unwrap();
        assert!(kept.len() < MAX_FILE_KEY_BYTES && kept.starts_with(LONG_KEYS), "{kept}");
        assert_ne!(kept, kept_as(&(long + "y")).unwrap());
    }
}
