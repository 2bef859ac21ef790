//! What two functions, versions or files differ in: text as a unified diff, of zips the files that were added, removed and
//! changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use badlambda_client::Code;
use badlambda_shared::function::FunctionConfig;
use badlambda_shared::function::package::{Entry, EntryKind, Package};
use similar::TextDiff;

use crate::output::{Failure, colored_diff, for_stdout};

/// The largest file of a zip whose lines are compared, in bytes.
const MOST_TEXT_BYTES: u64 = 256 * 1024;
/// For as long the lines of a file are compared in full; then the difference may become longer than it had to be.
const DIFF_TIME: Duration = Duration::from_millis(500);

/// One side of a comparison. What is not there is not compared.
pub struct Side {
    /// What a person calls it.
    pub name: String,
    /// Its code; `None` where there is no function yet.
    pub code: Option<Code>,
    /// Its config as text; `None` where only code is compared.
    pub config: Option<String>,
}

/// A config as it is compared, with a line for each field.
pub fn config_text(config: &FunctionConfig) -> String {
    serde_json::to_string_pretty(config).unwrap_or_default() + "\n"
}

/// What the newer side has in place of the older one's; where nothing differs, nothing.
pub fn difference(older: &Side, newer: &Side) -> Result<String, Failure> {
    let mut text = match (&older.code, &newer.code) {
        (Some(older), Some(newer)) if older == newer => String::new(),
        (None, Some(Code::Ruby(code))) => of_text("", code, names(older, newer, "code")),
        (Some(Code::Ruby(from)), Some(Code::Ruby(to))) => of_text(from, to, names(older, newer, "code")),
        _ => of_files(older, newer)?,
    };
    if let (Some(from), Some(to)) = (&older.config, &newer.config) {
        text += &of_text(from, to, names(older, newer, "config"));
    }
    Ok(text)
}

fn names(older: &Side, newer: &Side, what: &str) -> (String, String) {
    (format!("{} ({what})", older.name), format!("{} ({what})", newer.name))
}

fn of_text(older: &str, newer: &str, (older_name, newer_name): (String, String)) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(older, newer);
    let plain = diff.unified_diff().header(&older_name, &newer_name).to_string();
    colored_diff(&for_stdout(&plain))
}

/// The same of code of which a side at least is a zip.
fn of_files(older: &Side, newer: &Side) -> Result<String, Failure> {
    let (older_package, newer_package) = (package(older)?, package(newer)?);
    let (from, to) = (files(older, older_package.as_ref()), files(newer, newer_package.as_ref()));
    let paths: BTreeSet<&str> = from.keys().chain(to.keys()).copied().collect();
    let mut text = String::new();
    for path in paths {
        text += &match (from.get(path), to.get(path)) {
            (None, Some(added)) => line("added", path, &added.described()),
            (Some(removed), None) => line("removed", path, &removed.described()),
            (Some(from), Some(to)) => {
                of_file(path, from, to, names(older, newer, path)).map_err(unreadable)?
            }
            (None, None) => String::new(),
        };
    }
    if text.is_empty() {
        text += "the files are the same, and only packed in another way\n";
    }
    Ok(text)
}

fn of_file(path: &str, older: &File, newer: &File, names: (String, String)) -> io::Result<String> {
    let (from, to) = (older.described(), newer.described());
    let (older, newer) = (older.content()?, newer.content()?);
    if older == newer && from == to {
        return Ok(String::new());
    }
    let described = if from == to { to } else { format!("{from} → {to}") };
    let mut text = line("changed", path, &described);
    if let (Some(older), Some(newer)) = (as_text(&older), as_text(&newer)) {
        text += &of_text(older, newer, names);
    }
    Ok(text)
}

fn line(change: &str, path: &str, described: &str) -> String {
    for_stdout(&format!("{change}: {path} ({described})\n")).into_owned()
}

/// What is read of a file, unless it is too large for that.
fn as_text(content: &[u8]) -> Option<&str> {
    let is_text = content.len() as u64 <= MOST_TEXT_BYTES && !content.contains(&0);
    if is_text { str::from_utf8(content).ok() } else { None }
}

/// A file of code, or a link.
enum File<'a> {
    /// Of a zip.
    Packed(&'a Package<'a>, &'a Entry),
    /// All there is.
    Only(&'a str),
}

impl File<'_> {
    fn described(&self) -> String {
        match self {
            Self::Only(code) => size(code.len() as u64),
            Self::Packed(_, Entry { kind: EntryKind::Link { target }, .. }) => format!("a link to {target}"),
            Self::Packed(_, Entry { kind: EntryKind::File { is_executable: true }, bytes, .. }) => {
                format!("{}, executable", size(*bytes))
            }
            Self::Packed(_, Entry { bytes, .. }) => size(*bytes),
        }
    }

    /// What is in it; of a link, nothing.
    fn content(&self) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Only(code) => Ok(code.as_bytes().into()),
            Self::Packed(_, Entry { kind: EntryKind::Link { .. }, .. }) => Ok(Cow::default()),
            Self::Packed(package, entry) => {
                let mut content = vec![];
                package.unpack(entry, &mut content)?;
                Ok(content.into())
            }
        }
    }
}

fn size(bytes: u64) -> String {
    format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" })
}

fn package(side: &Side) -> Result<Option<Package<'_>>, Failure> {
    match &side.code {
        Some(Code::Zip(zip)) => Package::read(zip).map(Some).map_err(unreadable),
        _ => Ok(None),
    }
}

/// The files of a side by their paths. A Ruby file is compared with the one that a zip has in its place.
fn files<'a>(side: &'a Side, package: Option<&'a Package<'a>>) -> BTreeMap<&'a str, File<'a>> {
    match (&side.code, package) {
        (Some(Code::Ruby(code)), _) => BTreeMap::from([("function.rb", File::Only(code))]),
        (_, Some(package)) => {
            let files = package.entries().iter().filter(|entry| entry.kind != EntryKind::Folder);
            files.map(|entry| (entry.path.as_str(), File::Packed(package, entry))).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// Whoever stored a zip has checked it.
fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::Ours(format!("the zip can't be compared: {error}"))
}

#[cfg(test)]
mod tests {
    use badlambda_shared::function::package::Packer;

    use super::*;

    fn side(name: &str, code: Code, config: Option<&str>) -> Side {
        Side { name: name.to_owned(), code: Some(code), config: config.map(str::to_owned) }
    }

    fn ruby(code: &str) -> Code {
        Code::Ruby(code.to_owned())
    }

    fn zip(files: &[(&str, &[u8], bool)], link: (&str, &str)) -> Code {
        let mut packer = Packer::default();
        for (path, content, is_executable) in files {
            packer.file(path, content, *is_executable).unwrap();
        }
        packer.link(link.0, link.1).unwrap();
        Code::Zip(packer.finish().unwrap())
    }

    #[test]
    fn code_and_config_are_compared() {
        console::set_colors_enabled(false);
        let (older, newer) =
            (side("f 1", ruby("a\nb\n"), Some("{}\n")), side("f 2", ruby("a\nc\n"), Some("{}\n")));
        assert_eq!(difference(&older, &older).unwrap(), "");
        let expected = "--- f 1 (code)\n+++ f 2 (code)\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        assert_eq!(difference(&older, &newer).unwrap(), expected);
        // A file has no config.
        assert_eq!(difference(&older, &side("x.rb", ruby("a\nb\n"), None)).unwrap(), "");
    }

    #[test]
    fn zips_are_compared_file_by_file() {
        console::set_colors_enabled(false);
        let older = [
            ("a.rb", &b"1\n"[..], false),
            ("bin", b"x", false),
            ("data", b"\xff", false),
            ("old", b"", false),
        ];
        let newer =
            [("a.rb", &b"2\n"[..], false), ("bin", b"x", true), ("data", b"\xfe", false), ("new", b"", true)];
        let older = side("f 1", zip(&older, ("link", "a.rb")), None);
        let newer = side("f", zip(&newer, ("link", "bin")), None);
        let expected = "changed: a.rb (2 bytes)\n--- f 1 (a.rb)\n+++ f (a.rb)\n@@ -1 +1 @@\n-1\n+2\n\
                        changed: bin (1 byte → 1 byte, executable)\nchanged: data (1 byte)\n\
                        changed: link (a link to a.rb → a link to bin)\nadded: new (0 bytes, executable)\n\
                        removed: old (0 bytes)\n";
        assert_eq!(difference(&older, &newer).unwrap(), expected);
        let (one, other) =
            ([("a", &b""[..], false), ("b", b"", false)], [("b", &b""[..], false), ("a", b"", false)]);
        let (one, other) =
            (side("f 1", zip(&one, ("l", "a")), None), side("f", zip(&other, ("l", "a")), None));
        assert!(difference(&one, &other).unwrap().starts_with("the files are the same"));
    }

    #[test]
    fn a_file_that_became_a_folder_is_compared_with_its_place_in_it() {
        console::set_colors_enabled(false);
        let newer = zip(&[("function.rb", b"1\n", false)], ("link", "function.rb"));
        let difference = difference(&side("f 1", ruby("1\n"), None), &side("f", newer, None)).unwrap();
        assert_eq!(difference, "added: link (a link to function.rb)\n");
    }
}
