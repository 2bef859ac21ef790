//! Listing keys in order: only the folders that can hold a listed key are read, and no more keys than are asked for.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::keys::LONG_KEYS;

/// What is to be listed.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) prefix: String,
    /// Keys that go on with this after the prefix are listed together, by what they share.
    pub(crate) delimiter: Option<String>,
    /// Nothing up to here is listed.
    pub(crate) after: String,
    pub(crate) most: usize,
}

/// A key or a common prefix.
#[derive(Debug)]
pub(crate) enum Entry {
    Key { key: String, bytes: u64, modified: SystemTime },
    Prefix(String),
}

impl Entry {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Key { key, .. } => key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// Lists the bucket in the folder `root`; also returns whether there is more.
pub(crate) fn list(root: &Path, wish: &Wish) -> io::Result<(Vec<Entry>, bool)> {
    let mut listing = Listing { wish, entries: Vec::new(), is_truncated: false };
    if wish.most > 0 {
        listing.walk(root, "")?;
    }
    Ok((listing.entries, listing.is_truncated))
}

struct Listing<'a> {
    wish: &'a Wish,
    entries: Vec<Entry>,
    is_truncated: bool,
}

impl Listing<'_> {
    /// Lists a folder whose keys all begin with `start`.
    fn walk(&mut self, folder: &Path, start: &str) -> io::Result<()> {
        for key in names(folder, start)? {
            if self.is_truncated {
                return Ok(());
            }
            let path = folder.join(key[start.len()..].trim_end_matches('/'));
            if key.ends_with('/') {
                if self.may_hold_more(&key) {
                    self.walk(&path, &key)?;
                }
            } else if key.starts_with(&self.wish.prefix) && key > self.wish.after {
                self.add(key, &path)?;
            }
        }
        Ok(())
    }

    /// Whether there can be something to list among the keys that begin with `start`.
    fn may_hold_more(&self, start: &str) -> bool {
        let Wish { prefix, after, .. } = self.wish;
        let is_under_prefix = start.starts_with(prefix) || prefix.starts_with(start);
        let is_behind = after.as_str() >= start && !after.starts_with(start);
        is_under_prefix
            && !is_behind
            && !self.common_prefix(start).is_some_and(|common| self.is_listed(common))
    }

    /// What a key shares with others that are listed together with it.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.wish.delimiter.as_deref()?;
        let at = key.strip_prefix(&self.wish.prefix)?.find(delimiter)?;
        Some(&key[..self.wish.prefix.len() + at + delimiter.len()])
    }

    /// Whether a common prefix was listed, in this page or in the one that ended with it.
    fn is_listed(&self, common: &str) -> bool {
        common == self.wish.after || self.entries.last().is_some_and(|last| last.name() == common)
    }

    fn add(&mut self, key: String, path: &Path) -> io::Result<()> {
        let common = self.common_prefix(&key).map(str::to_owned);
        if common.as_deref().is_some_and(|common| self.is_listed(common)) {
            return Ok(());
        }
        if self.entries.len() == self.wish.most {
            self.is_truncated = true;
            return Ok(());
        }
        self.entries.push(match common {
            Some(common) => Entry::Prefix(common),
            None => match fs::metadata(path) {
                Ok(metadata) => Entry::Key { key, bytes: metadata.len(), modified: metadata.modified()? },
                // It has been deleted just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            },
        });
        Ok(())
    }
}

/// What is in a folder, in the order of keys; folders end in a slash, as the keys in them go on.
fn names(folder: &Path, start: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        if !(start.is_empty() && name == LONG_KEYS) {
            names.push(format!("{start}{name}{slash}"));
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn bucket(keys: &[&str]) -> TempDir {
        let root = TempDir::new().unwrap();
        for key in keys {
            let path = root.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, key).unwrap();
        }
        root
    }

    /// All names, page by page.
    fn pages(root: &TempDir, prefix: &str, delimiter: Option<&str>, most: usize) -> Vec<Vec<String>> {
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let delimiter = delimiter.map(str::to_owned);
            let wish = Wish { prefix: prefix.to_owned(), delimiter, after, most };
            let (entries, is_truncated) = list(root.path(), &wish).unwrap();
            pages.push(entries.iter().map(|entry| entry.name().to_owned()).collect::<Vec<_>>());
            if !is_truncated {
                return pages;
            }
            after = pages.last().and_then(|page| page.last()).unwrap().clone();
        }
    }

    #[test]
    fn keys_come_in_their_order_and_not_in_that_of_folders() {
        let root = bucket(&["a/b/c", "a/b-", "a/b0", "a.", "a0", "z/y", ".long-keys/x"]);
        let all = ["a.", "a/b-", "a/b/c", "a/b0", "a0", "z/y"];
        assert_eq!(pages(&root, "", None, 100), [all]);
        assert_eq!(pages(&root, "", None, 1).concat(), all);
        assert_eq!(pages(&root, "a/b", None, 2), [vec!["a/b-", "a/b/c"], vec!["a/b0"]]);
        assert_eq!(pages(&root, "no/such", None, 2).concat(), [""; 0]);
    }

    #[test]
    fn folders_are_common_prefixes_once() {
        let root = bucket(&["f/a/1", "f/a/2", "f/b", "f/c/d/1", "g"]);
        fs::create_dir_all(root.path().join("f/empty/too")).unwrap();
        assert_eq!(pages(&root, "f/", Some("/"), 1).concat(), ["f/a/", "f/b", "f/c/"]);
        assert_eq!(pages(&root, "", Some("/"), 100), [["f/", "g"]]);
        assert_eq!(pages(&root, "f", Some("/"), 100), [["f/"]]);
        assert_eq!(pages(&root, "f/", Some("d/"), 100), [["f/a/1", "f/a/2", "f/b", "f/c/d/"]]);
        let wish =
            Wish { delimiter: Some("/".to_owned()), after: "f/a/1".to_owned(), most: 9, ..Wish::default() };
        let names = list(root.path(), &wish).unwrap().0;
        assert_eq!(names.iter().map(Entry::name).collect::<Vec<_>>(), ["f/", "g"], "there is more in it");
    }
}
