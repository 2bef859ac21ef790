//! `functions create`, `update` and `delete`.

use std::path::PathBuf;

use badlambda_client::{Entity, FunctionContent};
use badlambda_shared::name::{FunctionName, VersionRef};
use clap::Args;
use serde_json::{Map, Value};

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::functions::list::{FUNCTION_FIELDS, print_changed};
use crate::input::{read_json, read_text};
use crate::output::{Failure, OutputArguments};

/// Arguments of `functions create`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  $ badlambda functions create greet hello.rb --config '{\"timeout_ms\": 1000}'"
)]
pub struct CreateArguments {
    /// The function's name.
    name: FunctionName,
    /// The file with its Ruby code; `-` reads it from stdin.
    file: PathBuf,
    /// Its config, as JSON.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    config: String,
    /// Check everything, and store nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `functions update`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is not given stays as it is.\n\nExample:\n  $ badlambda functions update hello --config \
                        '{\"retries\": 3}'"
)]
pub struct UpdateArguments {
    /// The function.
    name: FunctionName,
    /// The file with its Ruby code; `-` reads it from stdin.
    #[arg(required_unless_present = "config")]
    file: Option<PathBuf>,
    /// The fields of its config that change, as JSON.
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    /// Check everything, and store nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `functions delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is queued for it comes to nothing.\n\nExample:\n  $ badlambda functions delete old --yes"
)]
pub struct DeleteArguments {
    /// The function.
    name: FunctionName,
    /// Do it: nothing brings it back.
    #[arg(long)]
    yes: bool,
}

/// Creates a function.
pub async fn create(connection: &ConnectionArguments, arguments: CreateArguments) -> Result<(), Failure> {
    let CreateArguments { name, file, config, dry_run, output } = arguments;
    let Some(output) = output.open(&FUNCTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let config = Value::Object(read_config(&config)?);
    let code = read_text(&file)?;
    let content = FunctionContent { code: &code, config: &config };
    print_changed(&output, &client.create_function(&name, &content, dry_run).await?)
}

/// Publishes the next version, unless another was published meanwhile.
pub async fn update(connection: &ConnectionArguments, arguments: UpdateArguments) -> Result<(), Failure> {
    let UpdateArguments { name, file, config, dry_run, output } = arguments;
    let Some(output) = output.open(&FUNCTION_FIELDS)? else { return Ok(()) };
    let client = &connection.connect()?;
    let changes = config.map(|config| read_config(&config)).transpose()?.unwrap_or_default();
    let code = file.map(|file| read_text(&file)).transpose()?;
    let found = client.get_function(&name).await;
    let Entity { value: function, entity_tag } = explained(client, &name, found).await?;
    let mut config = serde_json::to_value(&function.content.config).unwrap_or_default();
    if let Some(config) = config.as_object_mut() {
        config.extend(changes);
    }
    let code = match code {
        Some(code) => code,
        None => client.get_version_code(&name, &VersionRef::Number(function.version)).await?,
    };
    let content = FunctionContent { code: &code, config: &config };
    print_changed(&output, &client.put_function(&name, &content, entity_tag.as_deref(), dry_run).await?)
}

/// Deletes a function.
pub async fn delete(connection: &ConnectionArguments, arguments: DeleteArguments) -> Result<(), Failure> {
    let name = arguments.name;
    if !arguments.yes {
        return Err(Failure::Usage(format!(
            "this would delete {name} with all its versions; to do it, add --yes"
        )));
    }
    let client = &connection.connect()?;
    explained(client, &name, client.delete_function(&name).await).await?;
    eprintln!("{name} is deleted");
    Ok(())
}

fn read_config(given: &str) -> Result<Map<String, Value>, Failure> {
    let no_object =
        |_| Failure::Usage("--config is no JSON object; write it like '{\"timeout_ms\": 1000}'".to_owned());
    serde_json::from_str(&read_json("--config", given)?).map_err(no_object)
}
