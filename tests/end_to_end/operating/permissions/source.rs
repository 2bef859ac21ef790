//! The table against the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::table::CALLS;
use crate::fixtures::fleet::repository;

/// Rust's source files in a folder and below.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// `get_object` as the SDK names the operation: `GetObject`.
fn operation(method: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    method.split('_').map(capital).collect()
}

/// The operations that are begun on one of these fields, and how many calls are sent.
fn operations(text: &str) -> (Vec<String>, usize) {
    let text: String = text.split_whitespace().collect();
    let begun = ["client", "receiving", "presigning"].into_iter().flat_map(|field| {
        let after = text.split(&format!("self.{field}.")).skip(1).collect::<Vec<_>>();
        let presigned = if field == "presigning" { "presigned " } else { "" };
        after
            .into_iter()
            .map(move |rest| format!("{presigned}{}", operation(rest.split('(').next().unwrap())))
    });
    let sent = text.matches(".send().await").count() + text.matches(".presigned(").count();
    (begun.collect(), sent)
}

#[test]
fn the_table_has_every_operation_that_the_source_has_and_no_other() {
    let (mut found, mut sent) = (BTreeSet::new(), 0);
    for path in sources(&repository().join("shared/src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("aws_sdk_") {
            let (operations, sends) = operations(&text);
            assert_eq!(operations.len(), sends, "{}: {operations:?}", path.display());
            found.extend(operations);
            sent += sends;
        }
    }
    assert!(sent > 10, "{found:?}");
    let by_agent = |operation: &str| operation == "UpdateTaskProtection";
    let known: BTreeSet<String> =
        CALLS.iter().map(|call| call.operation.to_owned()).filter(|name| !by_agent(name)).collect();
    assert_eq!(found, known);
}

#[test]
fn nothing_but_shared_calls_aws() {
    for folder in ["api/src", "worker/src", "worker/zygote"] {
        for path in sources(&repository().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("aws_sdk_"), "{} calls AWS past `shared`", path.display());
        }
    }
}
