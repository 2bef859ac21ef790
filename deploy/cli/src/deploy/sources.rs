//! Which functions are meant, and of what they are made: by files, by folders, and by each `badlambda.toml` beside them or
//! in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use badlambda_client::Code;
use badlambda_shared::function::name::{Alias, FunctionName};
use serde_json::{Value, json};

use crate::code::{SETTINGS_FILE, is_function_folder, read_code};
use crate::deploy::folder::{Settings, join, paths_in, settings_in};
use crate::deploy::settings::{FunctionSettings, read_settings};
use crate::output::Failure;

/// A function, as it is to be.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: FunctionName,
    /// The file or folder with its code.
    pub(super) file: PathBuf,
    pub(super) code: Code,
    /// The fields of its config that are not the default.
    pub(super) config: Value,
    /// What is to point at its version.
    pub(super) aliases: Vec<Alias>,
}

/// A function that is meant, and what is said of it.
type Meant = (FunctionName, FunctionSettings);

/// The functions of these files and folders, by name. With `name`, there must be one function, which has this name.
pub(super) fn find_sources(paths: &[PathBuf], name: Option<FunctionName>) -> Result<Vec<Source>, Failure> {
    let mut sources: BTreeMap<FunctionName, Source> = BTreeMap::new();
    for (path, (name, settings)) in meant(paths, name)? {
        let code = read_code(&path)?;
        let config = if settings.config.is_null() { json!({}) } else { settings.config };
        let source = Source { name: name.clone(), file: path, code, config, aliases: settings.aliases };
        if let Some(other) = sources.get(&name) {
            let (one, two) = (other.file.display(), source.file.display());
            return Err(Failure::Usage(format!("{one} and {two} are both the function {name}")));
        }
        sources.insert(name, source);
    }
    Ok(sources.into_values().collect())
}

fn meant(paths: &[PathBuf], name: Option<FunctionName>) -> Result<Vec<(PathBuf, Meant)>, Failure> {
    let mut meant = vec![];
    for path in paths {
        let beside = settings_in(&parent_of(path))?;
        let is_one = !path.is_dir() || is_function_folder(path) || naming(&beside, path).next().is_some();
        match &name {
            Some(name) if is_one && paths.len() == 1 => {
                meant.push((path.clone(), called(name, path, beside)?))
            }
            Some(_) => {
                let sentence = "--name is for one file alone, or one folder with a function.rb; leave it out";
                return Err(Failure::Usage(sentence.to_owned()));
            }
            None if is_one => meant.extend(of_path(path, &beside)?),
            None => {
                let inside = settings_in(path)?;
                for path in paths_in(path, &inside)? {
                    meant.extend(of_path(&path, &inside)?);
                }
            }
        }
    }
    Ok(meant)
}

/// The function of this name, which is asked for: whatever else is said of the path, nobody means it.
fn called(name: &FunctionName, path: &Path, mut beside: Settings) -> Result<Meant, Failure> {
    let inside = inside(path)?.remove(name);
    let settings = inside.or_else(|| beside.remove(name).map(|(_, settings)| settings));
    Ok((name.clone(), settings.unwrap_or_default()))
}

/// The functions that a file or a function's folder is: those that name it, else the one that is named like it.
fn of_path(path: &Path, beside: &Settings) -> Result<Vec<(PathBuf, Meant)>, Failure> {
    let inside = inside(path)?;
    let mut meant: Vec<Meant> = vec![];
    for (name, settings) in naming(beside, path) {
        if inside.contains_key(name) {
            let (one, other) = (parent_of(path).join(SETTINGS_FILE), path.join(SETTINGS_FILE));
            let sentence =
                format!("{} and {} both have [functions.{name}]; keep one", one.display(), other.display());
            return Err(Failure::Usage(sentence));
        }
        meant.push((name.clone(), settings.clone()));
    }
    meant.extend(inside);
    if meant.is_empty() {
        let name = name_of(path)?;
        if let Some((other, _)) = beside.get(&name) {
            return Err(Failure::Usage(format!(
                "{} says that {name} is made of {}; deploy that, or give {} another name with --name",
                join(&parent_of(path), Path::new(SETTINGS_FILE)).display(),
                other.display(),
                path.display()
            )));
        }
        meant.push((name, FunctionSettings::default()));
    }
    Ok(meant.into_iter().map(|meant| (path.to_owned(), meant)).collect())
}

/// Those of the settings that are of this path.
fn naming<'a>(
    settings: &'a Settings,
    path: &Path,
) -> impl Iterator<Item = (&'a FunctionName, &'a FunctionSettings)> {
    let path = path.canonicalize().ok();
    settings.iter().filter_map(move |(name, (other, settings))| {
        let is_it = path.is_some() && other.canonicalize().ok() == path;
        is_it.then_some((name, settings))
    })
}

/// What a function's folder itself says of it; nothing, where the path is no folder.
fn inside(path: &Path) -> Result<BTreeMap<FunctionName, FunctionSettings>, Failure> {
    let settings = if path.is_dir() { read_settings(path)? } else { BTreeMap::new() };
    for (name, FunctionSettings { file, .. }) in &settings {
        let is_it = match file {
            Some(file) => path.join(file).canonicalize().ok() == path.canonicalize().ok(),
            None => name_of(path).is_ok_and(|other| other == *name),
        };
        if !is_it {
            let (settings, path) = (path.join(SETTINGS_FILE), path.display());
            return Err(Failure::Usage(format!(
                "{} has [functions.{name}], and {path} is one function: give it that name, or say file = \".\"",
                settings.display()
            )));
        }
    }
    Ok(settings)
}

/// Where the `badlambda.toml` beside a file or folder lies.
fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        // `.` and the like have no name to leave out.
        _ if path.file_name().is_none() => join(path, Path::new("..")),
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn name_of(path: &Path) -> Result<FunctionName, Failure> {
    let name = if path.is_dir() {
        let whole = path.canonicalize().unwrap_or_default();
        whole.file_name().unwrap_or_default().to_string_lossy().into_owned()
    } else {
        path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    };
    name.parse().map_err(|error| {
        let hint = "name it with --name, or with `file` in badlambda.toml";
        Failure::Usage(format!("{}: {error}; {hint}", path.display()))
    })
}
