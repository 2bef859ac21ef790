//! Which functions are meant, and of what they are made: by files, by folders, and by the `badlambda.toml` beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use badlambda_shared::name::{Alias, FunctionName};
use serde_json::{Value, json};

use crate::deploy::settings::{self, FunctionSettings, read_settings};
use crate::input::read_text;
use crate::output::{Failure, did_you_mean};

/// A function, as it is to be.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: FunctionName,
    pub(super) file: PathBuf,
    pub(super) code: String,
    /// The fields of its config that are not the default.
    pub(super) config: Value,
    /// What is to point at its version.
    pub(super) aliases: Vec<Alias>,
}

type Settings = BTreeMap<FunctionName, FunctionSettings>;

/// The functions of these files and folders, by name. With `name`, there must be one file, which is the function of this name.
pub(super) fn find_sources(paths: &[PathBuf], name: Option<FunctionName>) -> Result<Vec<Source>, Failure> {
    if name.is_some() && (paths.len() != 1 || paths[0].is_dir()) {
        return Err(Failure::Usage("--name is for one file alone; leave it out".to_owned()));
    }
    let mut sources: BTreeMap<FunctionName, Source> = BTreeMap::new();
    for path in paths {
        let folder = if path.is_dir() { path } else { folder_of(path) };
        let settings = read_settings(folder)?;
        let named = match (&name, path.is_dir()) {
            (Some(name), _) => vec![(name.clone(), path.clone())],
            (None, true) => in_folder(path, &settings)?,
            (None, false) => of_file(path, &settings)?,
        };
        for (name, file) in named {
            let settings = settings.get(&name).cloned().unwrap_or_default();
            let source = read_source(name, file, settings)?;
            if let Some(other) = sources.get(&source.name) {
                let (name, one, two) = (&source.name, other.file.display(), source.file.display());
                return Err(Failure::Usage(format!("{one} and {two} are both the function {name}")));
            }
            sources.insert(source.name.clone(), source);
        }
    }
    Ok(sources.into_values().collect())
}

fn read_source(name: FunctionName, file: PathBuf, settings: FunctionSettings) -> Result<Source, Failure> {
    let code = read_text(&file)?;
    let config = if settings.config.is_null() { json!({}) } else { settings.config };
    Ok(Source { name, file, code, config, aliases: settings.aliases })
}

/// Where the `badlambda.toml` of a file lies.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The functions that a file is: those that name it, else the one that is named like it.
fn of_file(path: &Path, settings: &Settings) -> Result<Vec<(FunctionName, PathBuf)>, Failure> {
    let folder = folder_of(path);
    let is_this = |file: &PathBuf| match (folder.join(file).canonicalize(), path.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let naming = settings.iter().filter(|(_, settings)| settings.file.as_ref().is_some_and(is_this));
    let naming: Vec<_> = naming.map(|(name, _)| (name.clone(), path.to_owned())).collect();
    if !naming.is_empty() {
        return Ok(naming);
    }
    let name = name_of(path)?;
    match settings.get(&name).and_then(|settings| settings.file.as_ref()) {
        Some(other) => Err(Failure::Usage(format!(
            "{} says that {name} is made of {}; deploy that, or give this file another name with --name",
            folder.join(settings::FILE).display(),
            other.display()
        ))),
        None => Ok(vec![(name, path.to_owned())]),
    }
}

/// The functions of a folder: those of its `badlambda.toml`, and every other Ruby file in it.
fn in_folder(folder: &Path, settings: &Settings) -> Result<Vec<(FunctionName, PathBuf)>, Failure> {
    let ruby_files = ruby_files(folder)?;
    let mut found: BTreeMap<FunctionName, PathBuf> = BTreeMap::new();
    for (name, settings) in settings {
        let file = settings.file.clone().unwrap_or_else(|| format!("{name}.rb").into());
        let path = join(folder, &file);
        if !path.is_file() {
            let file = file.display().to_string();
            let hint = did_you_mean(&file, ruby_files.iter().filter_map(|file| file.to_str()));
            let settings = folder.join(settings::FILE);
            let sentence = format!("{} has [functions.{name}]", settings.display());
            return Err(Failure::Usage(format!("{sentence}, and there is no file {file}{hint}")));
        }
        found.insert(name.clone(), path);
    }
    let said: BTreeSet<PathBuf> = found.values().filter_map(|path| path.canonicalize().ok()).collect();
    for file in &ruby_files {
        let path = join(folder, file);
        if !path.canonicalize().is_ok_and(|path| said.contains(&path)) {
            found.insert(name_of(&path)?, path);
        }
    }
    if found.is_empty() {
        let sentence =
            format!("there is no Ruby file in {}; name files or a folder that has some", folder.display());
        return Err(Failure::Usage(sentence));
    }
    Ok(found.into_iter().collect())
}

/// A path as people write it.
fn join(folder: &Path, file: &Path) -> PathBuf {
    if folder == Path::new(".") { file.to_owned() } else { folder.join(file) }
}

/// The names of a folder's Ruby files. Says of folders in it that they are left out.
fn ruby_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::Usage(format!("could not read {}: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    let mut files = vec![];
    for path in paths {
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        if name.as_os_str().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            let shown = join(folder, &name);
            eprintln!(
                "{} is a folder, and is left out: a function is one Ruby file for now",
                shown.display()
            );
        } else if name.extension() == Some(OsStr::new("rb")) {
            files.push(name);
        }
    }
    Ok(files)
}

fn name_of(file: &Path) -> Result<FunctionName, Failure> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.parse().map_err(|error| {
        let hint = "name it with --name, or with `file` in badlambda.toml";
        Failure::Usage(format!("{}: {error}; {hint}", file.display()))
    })
}
