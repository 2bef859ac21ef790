//! The programs under test, built from the present sources, whoever starts the tests. Included by the tests that start
//! them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds what `what` says to Cargo, and returns the folder it lies in. Where there is no Cargo, as in a container, the
/// programs beside the test are what is tested.
pub fn built(what: &[&str]) -> PathBuf {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let (cargo, package) = (Path::new(env!("CARGO")), Path::new(env!("CARGO_MANIFEST_DIR")));
    if !cargo.exists() || !package.exists() {
        return folder;
    }
    let profile = folder.file_name().and_then(|name| name.to_str()).filter(|name| *name != "debug");
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--locked", "--profile", profile.unwrap_or("dev")]);
    build.args(what).arg("--target-dir").arg(folder.parent().unwrap()).current_dir(package);
    assert!(build.status().unwrap().success(), "the programs under test can't be built");
    folder
}
