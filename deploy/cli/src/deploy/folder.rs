//! What functions a folder holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use badlambda_shared::function::name::FunctionName;

use crate::code::{SETTINGS_FILE, is_function_folder};
use crate::deploy::settings::{FunctionSettings, read_settings};
use crate::output::{Failure, did_you_mean, say};

/// What is said of functions, each with the path that it is made of.
pub(super) type Settings = BTreeMap<FunctionName, (PathBuf, FunctionSettings)>;

/// What the `badlambda.toml` in this folder says of functions.
pub(super) fn settings_in(folder: &Path) -> Result<Settings, Failure> {
    let settings = read_settings(folder)?.into_iter();
    let with_path = |(name, settings): (FunctionName, FunctionSettings)| {
        let path = settings.file.clone().unwrap_or_else(|| usual_path(folder, &name));
        (name, (join(folder, &path), settings))
    };
    Ok(settings.map(with_path).collect())
}

/// What a function is made of where nothing else is said, from the folder on.
fn usual_path(folder: &Path, name: &FunctionName) -> PathBuf {
    let (file, of_its_name) = (PathBuf::from(format!("{name}.rb")), PathBuf::from(name.as_str()));
    let is_folder = !folder.join(&file).is_file() && folder.join(&of_its_name).is_dir();
    if is_folder { of_its_name } else { file }
}

/// The files and folders that are functions: those that the folder's `badlambda.toml` names, every Ruby file, and every
/// folder with a `function.rb`. Says of other folders that they are left out.
pub(super) fn paths_in(folder: &Path, settings: &Settings) -> Result<Vec<PathBuf>, Failure> {
    let (mut paths, mut said) = (vec![], BTreeSet::new());
    let there = visible_in(folder)?;
    for (name, (path, _)) in settings {
        let Ok(whole) = path.canonicalize() else {
            let has = format!("{} has [functions.{name}]", folder.join(SETTINGS_FILE).display());
            let file = path.strip_prefix(folder).unwrap_or(path).display().to_string();
            let hint = did_you_mean(&file, there.iter().filter_map(|path| path.file_name()?.to_str()));
            return Err(Failure::Usage(format!("{has}, and there is no file {file}{hint}")));
        };
        if said.insert(whole) {
            paths.push(path.clone());
        }
    }
    for path in there {
        let is_said = path.canonicalize().is_ok_and(|whole| said.contains(&whole));
        let is_folder = path.is_dir();
        if is_said {
            continue;
        }
        if is_folder && !is_function_folder(&path) {
            say(&format!("{} is a folder without a function.rb, and is left out", path.display()));
        } else if is_folder || path.extension() == Some(OsStr::new("rb")) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let sentence =
            format!("there is no Ruby file in {}; name files or a folder that has some", folder.display());
        return Err(Failure::Usage(sentence));
    }
    Ok(paths)
}

/// What is in the folder and not hidden, in the order of names.
fn visible_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries =
        entries.map_err(|error| Failure::Usage(format!("could not read {}: {error}", folder.display())))?;
    let mut names: Vec<_> = entries.into_iter().map(|entry| entry.file_name()).collect();
    names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
    names.sort();
    Ok(names.iter().map(|name| join(folder, Path::new(name))).collect())
}

/// A path as people write it.
pub(super) fn join(folder: &Path, file: &Path) -> PathBuf {
    if folder == Path::new(".") { file.to_owned() } else { folder.join(file) }
}
