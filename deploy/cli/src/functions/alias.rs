//! `functions alias`.

use badlambda_shared::function::name::{Alias, FunctionName};
use clap::Args;
use serde_json::{Map, Value};

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::functions::list::{FUNCTION_FIELDS, print_changed};
use crate::output::{Failure, OutputArguments};

/// Arguments of `functions alias`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  $ badlambda functions alias hello live 1\n  $ badlambda functions alias hello live 1 \
                        --weight 2=0.1\n  $ badlambda functions alias hello live --remove"
)]
pub struct AliasArguments {
    /// The function.
    name: FunctionName,
    /// The alias.
    alias: Alias,
    /// The version's number.
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    version: Option<u32>,
    /// Give a share of its executions, from 0 to 1, to another version.
    #[arg(long, value_name = "VERSION=SHARE", value_parser = read_weight, conflicts_with = "remove")]
    weight: Vec<(String, Value)>,
    /// Remove the alias.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// Points the alias, or removes it.
pub async fn alias(connection: &ConnectionArguments, arguments: AliasArguments) -> Result<(), Failure> {
    let AliasArguments { name, alias, version, weight, output, .. } = arguments;
    let Some(output) = output.open(&FUNCTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let weights = Value::Object(weight.into_iter().collect::<Map<_, _>>());
    let changed = match version {
        Some(version) => client.put_alias(&name, &alias, version, &weights).await.map(Some),
        None => client.delete_alias(&name, &alias).await.map(|()| None),
    };
    match explained(client, &name, changed).await? {
        Some(function) => print_changed(&output, &function),
        None => Ok(()),
    }
}

fn read_weight(text: &str) -> Result<(String, Value), String> {
    let read = text.split_once('=').and_then(|(version, share)| {
        let version: u32 = version.parse().ok()?;
        let share: f64 = share.parse().ok()?;
        Some((version.to_string(), serde_json::Number::from_f64(share)?.into()))
    });
    read.ok_or_else(|| "write a version's number and its share, like 4=0.1".to_owned())
}
