//! Packages over one another.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Entry, EntryKind, Package};

/// What there is once all packages are unpacked, each over those before it: of each path what the last one has there, and
/// the package that has it. Nothing is left below what is no folder, so that no link lies above anything.
pub fn overlay<'p, 'a>(packages: &'p [Package<'a>]) -> Vec<(&'p Package<'a>, &'p Entry)> {
    let mut there: BTreeMap<&'p str, (&'p Package<'a>, &'p Entry)> = BTreeMap::new();
    for package in packages {
        for entry in package.entries() {
            let path = entry.path.as_str();
            let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
            for parent in parents {
                if is_no_folder(there.get(parent)) {
                    there.remove(parent);
                }
            }
            if entry.kind != EntryKind::Folder {
                let below = format!("{path}/");
                let from_there = there.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
                let hidden: Vec<&'p str> =
                    from_there.map(|(path, _)| *path).take_while(|path| path.starts_with(&below)).collect();
                for path in hidden {
                    there.remove(path);
                }
            }
            there.insert(path, (package, entry));
        }
    }
    there.into_values().collect()
}

fn is_no_folder(found: Option<&(&Package<'_>, &Entry)>) -> bool {
    found.is_some_and(|(_, entry)| entry.kind != EntryKind::Folder)
}

#[cfg(test)]
mod tests {
    use super::super::Packer;
    use super::*;

    /// What is at each path once zips of these files, and of links with `->` in their content, lie over one another.
    fn laid(zips: &[&[(&str, &str)]]) -> Vec<String> {
        let zips: Vec<Vec<u8>> = zips.iter().map(|files| zip(files)).collect();
        let packages: Vec<Package<'_>> = zips.iter().map(|zip| Package::read(zip).unwrap()).collect();
        let shown = |(package, entry): (&Package<'_>, &Entry)| {
            let mut content = Vec::new();
            package.unpack(entry, &mut content).unwrap();
            format!("{}={}", entry.path, String::from_utf8(content).unwrap())
        };
        overlay(&packages).into_iter().map(shown).collect()
    }

    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut packer = Packer::default();
        for (path, content) in files {
            match content.strip_prefix("->") {
                Some(target) => packer.link(path, target).unwrap(),
                None => packer.file(path, content.as_bytes(), false).unwrap(),
            }
        }
        packer.finish().unwrap()
    }

    #[test]
    fn the_last_one_counts() {
        let laid = laid(&[&[("a", "1"), ("b/c", "1")], &[("b/c", "2"), ("b/d", "2")], &[("b/d", "3")]]);
        assert_eq!(laid, ["a=1", "b/c=2", "b/d=3"]);
    }

    #[test]
    fn a_file_hides_a_folder_and_a_folder_a_file() {
        assert_eq!(laid(&[&[("a/b/c", "1"), ("a.x", "1")], &[("a", "2")]]), ["a=2", "a.x=1"]);
        assert_eq!(laid(&[&[("a", "1")], &[("a/b", "2")]]), ["a/b=2"]);
        assert_eq!(laid(&[&[("a/b", "1")], &[("a", "2")], &[("a/c", "3")]]), ["a/c=3"]);
    }

    #[test]
    fn nothing_is_written_through_a_link_of_another_one() {
        let link = [("lib", "->other"), ("other/x", "1")];
        assert_eq!(laid(&[&link, &[("lib/x", "2")]]), ["lib/x=2", "other/x=1"]);
        assert_eq!(laid(&[&[("lib/x", "2")], &link]), ["lib=other", "other/x=1"]);
    }
}
