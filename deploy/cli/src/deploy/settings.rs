//! `badlambda.toml`: what functions are to be, beside their code.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use badlambda_shared::function::FunctionConfig;
use badlambda_shared::function::name::{Alias, FunctionName};
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::code::SETTINGS_FILE;
use crate::output::{Failure, did_you_mean};

/// What the file says of one function.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FunctionSettings {
    /// The Ruby file or folder, from the folder of these settings on, where it is not named like the function.
    pub(super) file: Option<PathBuf>,
    /// What is to point at the version that is deployed.
    pub(super) aliases: Vec<Alias>,
    /// The fields of the config that are not the default, as a request has them.
    pub(super) config: Json,
}

/// What the file in this folder says of each function; nothing, where there is none.
pub(super) fn read_settings(folder: &Path) -> Result<BTreeMap<FunctionName, FunctionSettings>, Failure> {
    let path = folder.join(SETTINGS_FILE);
    let shown = path.display();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(Failure::Usage(format!("could not read {shown}: {error}"))),
    };
    parse(&text).map_err(|reason| Failure::Usage(format!("{shown}: {reason}")))
}

fn parse(text: &str) -> Result<BTreeMap<FunctionName, FunctionSettings>, String> {
    let mut document: Table =
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let functions = document.remove("functions").unwrap_or(Value::Table(Table::new()));
    if let Some(name) = document.keys().next() {
        let hint = did_you_mean(name, ["functions"].into_iter());
        return Err(format!("{name} means nothing; functions are tables like [functions.hello]{hint}"));
    }
    let Value::Table(functions) = functions else {
        return Err("functions must be tables, like [functions.hello]".to_owned());
    };
    let read = |(name, value): (String, Value)| {
        let settings = read_function(value).map_err(|reason| format!("[functions.{name}]: {reason}"))?;
        let name = name.parse().map_err(|error| format!("[functions.{name}]: {error}"))?;
        Ok((name, settings))
    };
    functions.into_iter().map(read).collect()
}

fn read_function(value: Value) -> Result<FunctionSettings, String> {
    let Value::Table(mut fields) = value else { return Err("it must be a table".to_owned()) };
    let file = fields.remove("file").map(Value::try_into).transpose();
    let file = file.map_err(|_| "file must be the path of a Ruby file or a folder, in quotes")?;
    let aliases = fields.remove("aliases").map(Value::try_into).transpose();
    let aliases = aliases.map_err(|error| format!("aliases must be like [\"live\"]: {}", error.message()))?;
    let known = config_fields();
    if let Some(unknown) = fields.keys().find(|field| !known.contains(field)) {
        let candidates = known.iter().map(String::as_str).chain(["file", "aliases"]);
        let hint = did_you_mean(unknown, candidates);
        return Err(format!(
            "there is no field {unknown}{hint}\nthe fields are: file, aliases, {}",
            known.join(", ")
        ));
    }
    // The API checks the values. That each is of the right type is told here, with its name in this file.
    let config: Result<FunctionConfig, _> = Value::Table(fields.clone()).try_into();
    config.map_err(|error| error.to_string().trim_end().replace('\n', " "))?;
    let config = serde_json::to_value(&fields).map_err(|error| error.to_string())?;
    Ok(FunctionSettings { file, aliases: aliases.unwrap_or_default(), config })
}

/// The names of a config's fields.
fn config_fields() -> Vec<String> {
    // What is not there is not written.
    let whole = FunctionConfig { handler: Some("handler".to_owned()), ..FunctionConfig::default() };
    match serde_json::to_value(&whole) {
        Ok(Json::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_has_a_file_aliases_and_a_config() {
        let text = "[functions.hello]\nfile = \"src/hi.rb\"\naliases = [\"live\"]\nretries = 2\nhandler = \"main\"\n\
                    [functions.hello.environment]\nGREETING = \"Hi\"\n[functions.other]\n";
        let settings = parse(text).unwrap();
        let hello = &settings[&"hello".parse().unwrap()];
        assert_eq!(hello.file.as_deref(), Some(Path::new("src/hi.rb")));
        assert_eq!(hello.aliases, ["live".parse().unwrap()]);
        assert_eq!(hello.config, json!({"retries": 2, "handler": "main", "environment": {"GREETING": "Hi"}}));
        assert_eq!(settings[&"other".parse().unwrap()].config, json!({}));
        assert_eq!(parse("").unwrap(), BTreeMap::new());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            (
                "[function.hello]",
                "function means nothing; functions are tables like [functions.hello]; did you mean functions?",
            ),
            ("functions = 1", "functions must be tables"),
            ("[functions]\nhello = 1", "[functions.hello]: it must be a table"),
            ("[functions.\"a b\"]", "[functions.a b]: a function's name is"),
            (
                "[functions.hello]\ntimeout = 1",
                "[functions.hello]: there is no field timeout; did you mean timeout_ms?",
            ),
            ("[functions.hello]\nalias = [\"live\"]", "did you mean aliases?"),
            ("[functions.hello]\naliases = \"live\"", "aliases must be like [\"live\"]"),
            ("[functions.hello]\naliases = [\"7\"]", "an alias is"),
            ("[functions.hello]\nfile = 1", "file must be"),
            ("[functions.hello]\nretries = \"two\"", "a whole number that is not negative in `retries`"),
            ("[functions.hello]\nretries = 2024-01-01", "retries"),
            ("[functions.hello", "line 1"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
