//! `badlambda doctor`: what is right and wrong, and what to do about it. `api` looks at the API that commands ask, `machine`
//! at whether functions can run here, `data` at the folder of `up`.

mod api;
mod data;
mod machine;

use std::path::PathBuf;

use badlambda_shared::process::config::Environment;
use clap::Args;
use serde::Serialize;

use crate::connection::{ConnectionArguments, DATA};
use crate::output::{Failure, OutputArguments, Table};

/// The fields of what was looked at.
const CHECK_FIELDS: [&str; 4] = ["check", "state", "found", "advice"];

const HEAD: [&str; 4] = CHECK_FIELDS;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 where nothing is wrong, else 3.\n\nExample:\n  $ badlambda doctor")]
pub struct DoctorArguments {
    /// The folder of `up`.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    found: String,
    /// What to do, where something is to be done.
    advice: Option<String>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Right,
    /// There is none, and there need not be.
    Absent,
    Wrong,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Absent => "absent",
            Self::Wrong => "wrong",
        }
    }
}

impl Check {
    fn right(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Right, found: found.into(), advice: None }
    }

    fn absent(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Absent, found: found.into(), advice: Some(advice.into()) }
    }

    fn wrong(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Wrong, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything, and says how it stands.
pub async fn doctor(arguments: DoctorArguments) -> Result<(), Failure> {
    let DoctorArguments { connection, data, output } = arguments;
    let Some(output) = output.open(&CHECK_FIELDS)? else { return Ok(()) };
    let checks = match Environment::from_process() {
        Ok(environment) => {
            let mut checks = api::examine(&connection).await;
            checks.extend(machine::examine(environment).await);
            checks.push(data::examine(&data));
            checks
        }
        // Nothing else of ours starts then.
        Err(error) => {
            vec![Check::wrong("settings", error.to_string(), "unset the variable, or give it another value")]
        }
    };
    output.print_all(&checks, || Table::new(&HEAD, checks.iter().map(row)))?;
    match checks.iter().filter(|check| check.state == State::Wrong).count() {
        0 => Ok(()),
        1 => Err(Failure::Ours("one thing is wrong".to_owned())),
        wrong => Err(Failure::Ours(format!("{wrong} things are wrong"))),
    }
}

fn row(check: &Check) -> Vec<String> {
    let advice = check.advice.clone().unwrap_or_default();
    vec![check.check.to_owned(), check.state.name().to_owned(), check.found.clone(), advice]
}
