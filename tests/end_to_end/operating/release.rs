//! The archive of a release.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixtures::fleet::{programs, repository};

/// Copies of programs that exist already. To pack the large ones would only take time, so small ones stand in for them.
fn some_programs(folder: &Path, mode: u32) -> PathBuf {
    let programs_in = folder.join(format!("programs-{mode:o}"));
    fs::create_dir(&programs_in).unwrap();
    for (name, from) in [
        ("badlambda", "badlambda"),
        ("badlambda-api", "badlambda-cleaner"),
        ("badlambda-worker", "badlambda-cleaner"),
        ("badlambda-zygote", "badlambda-zygote"),
        ("badlambda-cleaner", "badlambda-cleaner"),
    ] {
        let path = programs_in.join(name);
        fs::copy(programs().join(from), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    programs_in
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes the archive, with this mask for new files.
fn archive(programs: &Path, into: &Path, umask: &str) -> PathBuf {
    let mut make = Command::new("sh");
    make.args(["-c", "umask \"$0\" && exec deploy/release/archive --programs \"$1\" \"$2\"", umask]);
    run(make.arg(programs).arg(into).current_dir(repository()).env("SOURCE_DATE_EPOCH", "1700000000"));
    let files = fs::read_dir(into).unwrap().map(|file| file.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "gz")).unwrap()
}

#[test]
fn the_same_programs_make_the_same_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let once = archive(&some_programs(folder.path(), 0o755), &path("once"), "022");
    let again = archive(&some_programs(folder.path(), 0o700), &path("again"), "077");
    assert_eq!(once.file_name(), again.file_name());
    assert!(fs::read(&once).unwrap() == fs::read(&again).unwrap(), "the bytes are others");
    run(Command::new("sha256sum")
        .arg("--check")
        .arg(format!("{}.sha256", once.display()))
        .current_dir(path("once")));

    run(Command::new("tar").arg("--extract").arg("--file").arg(&once).current_dir(folder.path()));
    let name = once.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap().to_owned();
    let root = path(&name);
    run(Command::new(root.join("bin/badlambda")).arg("--version").env_clear());
    for file in [
        "bin/badlambda-api",
        "bin/badlambda-worker",
        "bin/badlambda-zygote",
        "bin/badlambda-cleaner",
        "share/man/man1/badlambda.1",
        "share/man/man1/badlambda-functions-create.1",
        "share/bash-completion/completions/badlambda",
        "share/fish/vendor_completions.d/badlambda.fish",
        "share/zsh/site-functions/_badlambda",
        "share/doc/badlambda/LICENSE",
    ] {
        assert!(root.join(file).is_file(), "{file} is not in the archive");
    }
    let licences = fs::read_to_string(root.join("share/doc/badlambda/THIRD-PARTY.txt")).unwrap();
    for says in
        ["\nserde 1.", "\naws-lc-sys 0.", "\ntokio 1.", "\nruby-prism-sys ", "Permission is hereby granted"]
    {
        assert!(licences.contains(says), "the licences lack {says:?}");
    }
    assert!(!licences.contains("\nbadlambda-"), "our own are no third party's");
}
