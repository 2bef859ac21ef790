//! A function's config as a command is given it: JSON, and a flag for each of the usual fields.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value};

use crate::input::read_json;
use crate::output::Failure;

/// The fields of a function's config.
#[derive(Debug, Args)]
#[command(next_help_heading = "Config")]
pub struct ConfigArguments {
    /// Fields of the config, as JSON.
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    /// How long an attempt may take, in milliseconds.
    #[arg(long, value_name = "N")]
    timeout_ms: Option<u64>,
    /// How much memory it may have, in MiB.
    #[arg(long, value_name = "N")]
    memory_mb: Option<u64>,
    /// How often it is tried again where it failed.
    #[arg(long, value_name = "N")]
    retries: Option<u64>,
    /// A variable in its ENV; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<Variable>,
    /// Whether it may open network connections, where the worker's operator allows that.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    network: Option<bool>,
    /// Whether it may start processes.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    subprocesses: Option<bool>,
    /// The method that is its handler; of a zip or folder, its file and method, like app.run or lib/app.Orders.run.
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
}

/// A variable and its value.
#[derive(Clone, Debug, PartialEq)]
struct Variable(String, String);

impl FromStr for Variable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self(name.to_owned(), value.to_owned())),
            _ => Err("write it like NAME=VALUE"),
        }
    }
}

impl ConfigArguments {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.config.is_none() && self.env.is_empty() && self.flags().all(|(_, value)| value.is_none())
    }

    /// What is given.
    pub fn changes(&self) -> Result<ConfigChanges, Failure> {
        let mut fields = self.config.as_deref().map(read_object).transpose()?.unwrap_or_default();
        fields.extend(self.flags().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(ConfigChanges { fields, env: self.env.clone() })
    }

    /// A new function's config: what is given, and no more.
    pub fn read(&self) -> Result<Value, Failure> {
        Ok(Value::Object(self.changes()?.over(Map::new())?))
    }

    /// The fields that have flags of their own.
    fn flags(&self) -> impl Iterator<Item = (&'static str, Option<Value>)> {
        [
            ("timeout_ms", self.timeout_ms.map(Value::from)),
            ("memory_mb", self.memory_mb.map(Value::from)),
            ("retries", self.retries.map(Value::from)),
            ("network", self.network.map(Value::from)),
            ("subprocesses", self.subprocesses.map(Value::from)),
            ("handler", self.handler.clone().map(Value::from)),
        ]
        .into_iter()
    }
}

/// What changes of a config.
pub struct ConfigChanges {
    /// The JSON's fields, and over them those of the flags.
    fields: Map<String, Value>,
    env: Vec<Variable>,
}

impl ConfigChanges {
    /// This config with what changes. A variable is added to those that are there.
    pub fn over(self, mut config: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
        config.extend(self.fields);
        if !self.env.is_empty() {
            let environment = config.entry("environment").or_insert_with(|| Value::Object(Map::new()));
            let no_object = || Failure::Usage("the config's environment is no JSON object".to_owned());
            let environment = environment.as_object_mut().ok_or_else(no_object)?;
            environment.extend(self.env.into_iter().map(|Variable(name, value)| (name, value.into())));
        }
        Ok(config)
    }
}

fn read_object(json: &str) -> Result<Map<String, Value>, Failure> {
    let no_object =
        |_| Failure::Usage("--config is no JSON object; write it like '{\"timeout_ms\": 1000}'".to_owned());
    serde_json::from_str(&read_json("--config", json)?).map_err(no_object)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        config: ConfigArguments,
    }

    fn over(config: Value, line: &[&str]) -> Result<Value, String> {
        let line = [&["command"], line].concat();
        let arguments = Command::try_parse_from(line).map_err(|error| error.to_string())?.config;
        let config = config.as_object().unwrap().clone();
        arguments
            .changes()
            .and_then(|changes| changes.over(config))
            .map(Value::Object)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn flags_stand_over_json_and_json_over_what_is_there() {
        let there = json!({"retries": 1, "memory_mb": 64, "environment": {"A": "1"}});
        let config = r#"{"retries": 2, "timeout_ms": 5, "network": true}"#;
        let given = ["--config", config, "--timeout-ms", "6", "--network=false", "--env", "B=x=y"];
        let merged = json!({
            "retries": 2, "memory_mb": 64, "timeout_ms": 6, "network": false, "environment": {"A": "1", "B": "x=y"},
        });
        assert_eq!(over(there.clone(), &given), Ok(merged));
        assert_eq!(
            over(json!({}), &["--subprocesses", "--handler", "main"]),
            Ok(json!({"subprocesses": true, "handler": "main"}))
        );
        assert_eq!(over(there.clone(), &[]), Ok(there));
    }

    #[test]
    fn what_can_not_be_a_config_is_told() {
        for (given, says) in [
            (&["--config", "[]"][..], "no JSON object"),
            (&["--config", "{"], "--config is not JSON"),
            (&["--env", "=x"], "NAME=VALUE"),
            (&["--retries", "many"], "invalid"),
            (&["--config", r#"{"environment": 1}"#, "--env", "A=1"], "environment is no JSON object"),
        ] {
            let error = over(json!({}), given).unwrap_err();
            assert!(error.contains(says), "{given:?}: {error}");
        }
    }
}
