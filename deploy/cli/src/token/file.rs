//! The file that holds a list of tokens. Others never see half of it, and whoever adds to it at the same time waits.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

use badlambda_api::summarize_tokens;
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use crate::output::Failure;

/// Adds an entry. What else is in the file stays as it is, and whose the file is. Its mode becomes 0600.
pub(super) fn add_entry(path: &Path, entry: &str) -> Result<(), Failure> {
    let shown = path.display();
    let unwritable = |error: io::Error| Failure::Usage(format!("could not write {shown}: {error}"));
    // Where it is a link, the file that it leads to is meant.
    let path = path.canonicalize().unwrap_or(path.to_owned());
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let locked = File::open(folder).map_err(unwritable)?;
    locked.lock().map_err(unwritable)?;
    let before = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::Usage(format!("could not read {shown}: {error}"))),
    };
    let wrong = |reason: String| Failure::Usage(format!("{shown}: {reason}"));
    let list = with_entry(before.as_deref(), entry).map_err(wrong)?;
    replace(&path, folder, &list).and_then(|()| locked.sync_all()).map_err(unwritable)
}

/// The list with this entry at its end, an entry a line.
fn with_entry(list: Option<&str>, entry: &str) -> Result<String, String> {
    if let Some(list) = list {
        summarize_tokens(list)?;
    }
    let entries: Vec<&RawValue> =
        serde_json::from_str(list.unwrap_or("[]")).map_err(|error| error.to_string())?;
    let entries: Vec<&str> = entries.iter().map(|entry| entry.get()).chain([entry]).collect();
    let list = format!("[\n  {}\n]\n", entries.join(",\n  "));
    summarize_tokens(&list)?;
    Ok(list)
}

/// Puts a file that is complete in the place of the old one, for the same owner.
fn replace(path: &Path, folder: &Path, text: &str) -> io::Result<()> {
    // It has mode 0600 from the beginning.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(path) {
        let new = file.as_file().metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn entry(name: &str, digit: char) -> String {
        format!(r#"{{"name":"{name}","sha256":"{}","scopes":["read"]}}"#, digit.to_string().repeat(64))
    }

    #[test]
    fn what_is_there_stays_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("tokens.json"), folder.path().join("link"));
        add_entry(&path, &entry("a", '0')).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        add_entry(&link, &entry("b", '1')).unwrap();
        let text = format!("[\n  {},\n  {}\n]\n", entry("a", '0'), entry("b", '1'));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        // A name that is taken, or a file that is no list, is left alone.
        let error = add_entry(&path, &entry("a", '2')).unwrap_err().to_string();
        assert!(error.ends_with("tokens.json: two tokens have the name a"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        fs::write(&path, "{}").unwrap();
        assert!(add_entry(&path, &entry("c", '3')).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn entries_that_come_at_once_are_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        std::thread::scope(|scope| {
            for digit in '0'..='7' {
                let path = &path;
                scope.spawn(move || add_entry(path, &entry(&format!("t{digit}"), digit)).unwrap());
            }
        });
        assert_eq!(summarize_tokens(&fs::read_to_string(&path).unwrap()).unwrap().len(), 8);
    }
}
