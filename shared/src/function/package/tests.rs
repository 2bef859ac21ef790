//! What is taken as a package, and what is not.

use serde::Deserialize;

use super::*;

/// Zips that are refused, each with the words that say why.
const HOSTILE: &str = include_str!("hostile.json");

/// One zip of `hostile.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    entries: Vec<RawEntry>,
    /// Bytes that are cut off the end.
    #[serde(default)]
    cut: usize,
    /// A byte that is changed, counted from the beginning.
    #[serde(default)]
    flip: Option<usize>,
    error: String,
}

/// An entry, with all that may be wrong with it. What is not said is right.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawEntry {
    path: String,
    /// The path as bytes in hexadecimal.
    path_hex: Option<String>,
    /// The path in front of the content, where it is another one.
    local_path: Option<String>,
    content: String,
    /// Writes the content so many times.
    times: Option<usize>,
    mode: Option<String>,
    method: u16,
    flags: u16,
    /// The size of the content, as the zip says it.
    bytes: Option<u32>,
    packed_bytes: Option<u32>,
    crc: Option<u32>,
    /// Has the content of the entry with this number.
    content_of: Option<usize>,
    /// Writes the entry so many times, each under a name of its own.
    copies: Option<usize>,
}

/// The bytes of a zip that no program would make.
fn zip_of(entries: &[RawEntry]) -> Vec<u8> {
    let (mut zip, mut directory, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let copied = entries.iter().flat_map(|entry| {
        let copies = entry.copies.unwrap_or(1);
        (0..copies).map(move |copy| match copies {
            1 => entry.clone(),
            _ => RawEntry { path: format!("{}{copy}", entry.path), ..entry.clone() },
        })
    });
    let mut count = 0u16;
    for entry in copied {
        let path =
            entry.path_hex.as_ref().map_or(entry.path.clone().into_bytes(), |hex| hex::decode(hex).unwrap());
        let content = entry.content.repeat(entry.times.unwrap_or(1)).into_bytes();
        let packed = if entry.method == 8 { deflated(&content) } else { content.clone() };
        let place = zip.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        let mut common = Vec::new();
        common.extend(entry.flags.to_le_bytes());
        common.extend(entry.method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(entry.crc.unwrap_or(crc.sum()).to_le_bytes());
        common.extend(entry.packed_bytes.unwrap_or(packed.len() as u32).to_le_bytes());
        common.extend(entry.bytes.unwrap_or(content.len() as u32).to_le_bytes());
        if entry.content_of.is_none() {
            let local_path = entry.local_path.clone().map_or(path.clone(), String::into_bytes);
            zip.extend(b"PK\x03\x04\x14\0");
            zip.extend(&common);
            zip.extend((local_path.len() as u16).to_le_bytes());
            zip.extend([0; 2]);
            zip.extend(local_path);
            zip.extend(packed);
        }
        places.push(place);
        let mode = entry.mode.map_or(0o100_644, |mode| u32::from_str_radix(&mode, 8).unwrap());
        // Made on Unix, by version 2.0.
        directory.extend(b"PK\x01\x02\x14\x03\x14\0");
        directory.extend(common);
        directory.extend((path.len() as u16).to_le_bytes());
        directory.extend([0; 8]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(entry.content_of.map_or(place, |other| places[other]).to_le_bytes());
        directory.extend(path);
        count = count.wrapping_add(1);
    }
    let begin = zip.len() as u32;
    let length = directory.len() as u32;
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    zip.extend([length.to_le_bytes(), begin.to_le_bytes()].concat());
    zip.extend([0; 2]);
    zip
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn refusal(zip: &[u8]) -> String {
    match Package::read(zip).and_then(|package| package.verify()) {
        Ok(()) => "it was taken".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn hostile_zips_are_refused() {
    let cases: BTreeMap<String, Case> = serde_json::from_str(HOSTILE).unwrap();
    assert!(cases.len() >= 40, "{}", cases.len());
    for (name, case) in cases {
        let mut zip = zip_of(&case.entries);
        zip.truncate(zip.len() - case.cut);
        if let Some(byte) = case.flip {
            zip[byte] ^= 0xff;
        }
        let error = refusal(&zip);
        assert!(error.contains(&case.error), "{name}: {error}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let path = |n: usize| RawEntry { path: format!("{n}"), ..RawEntry::default() };
    let many: Vec<RawEntry> = (0..=limits::MAX_ZIP_ENTRIES).map(path).collect();
    assert_eq!(Package::read(&zip_of(&many)).unwrap_err(), PackageError::TooManyEntries);
    let large = vec![0; limits::MAX_ZIP_BYTES as usize + 1];
    assert_eq!(Package::read(&large).unwrap_err(), PackageError::TooLarge);
}

#[test]
fn files_folders_and_links_are_read() {
    let mut packer = Packer::default();
    packer.file("function.rb", b"def handler(event:, context:) = 1", false).unwrap();
    packer.file("bin/tool", b"#!/bin/sh\n", true).unwrap();
    packer.file("lib/\u{e9}.rb", b"", false).unwrap();
    packer.link("lib/again.rb", "../function.rb").unwrap();
    let zip = packer.finish().unwrap();
    let package = Package::read(&zip).unwrap();
    package.verify().unwrap();
    let seen: Vec<(&str, &EntryKind)> =
        package.entries().iter().map(|entry| (entry.path.as_str(), &entry.kind)).collect();
    let file = |is_executable| EntryKind::File { is_executable };
    assert_eq!(
        seen,
        [
            ("function.rb", &file(false)),
            ("bin/tool", &file(true)),
            ("lib/\u{e9}.rb", &file(false)),
            ("lib/again.rb", &EntryKind::Link { target: "../function.rb".to_owned() }),
        ]
    );
    assert_eq!(package.file("bin/tool").unwrap().unwrap(), b"#!/bin/sh\n");
    assert_eq!(package.file("bin").unwrap(), None);
    assert_eq!(package.unpacked_bytes(), 33 + 10 + 14);
}

#[test]
fn what_other_programs_make_is_taken() {
    let entry = |path: &str| RawEntry { path: path.to_owned(), ..RawEntry::default() };
    let folder = |path: &str| RawEntry { mode: Some("40755".to_owned()), ..entry(path) };
    // Folders with entries of their own, a leading `./`, no mode at all, content that is packed or not.
    let zip = zip_of(&[
        folder("./lib/"),
        entry("./lib/a.rb"),
        RawEntry { mode: Some("0".to_owned()), ..entry("b.rb") },
        RawEntry { content: "puts 1\n".to_owned(), times: Some(500), method: 8, ..entry("c.rb") },
        RawEntry { content: "data".to_owned(), ..entry("vendor/bundle/ruby/3.1.0/gems/a-1/data.bin") },
    ]);
    let package = Package::read(&zip).unwrap();
    package.verify().unwrap();
    assert_eq!(package.entries()[1].path, "lib/a.rb");
    assert_eq!(package.file("c.rb").unwrap().unwrap().len(), 3500);
}

#[test]
fn the_same_files_make_the_same_zip() {
    let make = || {
        let mut packer = Packer::default();
        packer.file("function.rb", b"1", false).unwrap();
        packer.finish().unwrap()
    };
    assert_eq!(make(), make());
}

proptest::proptest! {
    #[test]
    fn nothing_panics(bytes: Vec<u8>, flips in proptest::collection::vec((0usize..600, 0u8..), 0..8)) {
        refusal(&bytes);
        let mut zip = zip_of(&[
            RawEntry { path: "a.rb".to_owned(), content: "x".to_owned(), times: Some(99), method: 8, ..RawEntry::default() },
            RawEntry { path: "b/c".to_owned(), content: "../a.rb".to_owned(), mode: Some("120777".to_owned()), ..RawEntry::default() },
        ]);
        for (place, byte) in flips {
            let length = zip.len();
            zip[place % length] = byte;
        }
        refusal(&zip);
    }
}
