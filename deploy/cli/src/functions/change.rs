//! `functions create`, `update` and `delete`.

use std::path::PathBuf;

use badlambda_client::{Entity, FunctionContent};
use badlambda_shared::function::name::{FunctionName, VersionRef};
use clap::Args;
use serde_json::Value;

use crate::code::read_code;
use crate::config::ConfigArguments;
use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::functions::list::{FUNCTION_FIELDS, print_changed};
use crate::output::{Failure, OutputArguments, say};

/// Arguments of `functions create`.
#[derive(Debug, Args)]
#[command(
    after_help = "A zip or folder has handler or lambda_handler in its function.rb, or what --handler names.\n\nExamples:\n  $ \
                        badlambda functions create greet hello.rb --timeout-ms 1000 --env LANG=en\n  $ badlambda functions \
                        create shout shout"
)]
pub struct CreateArguments {
    /// The function's name.
    name: FunctionName,
    /// Its code: a Ruby file, a zip, or a folder with all there is below it; `-` reads a file from stdin.
    #[arg(value_name = "FILE|DIR")]
    file: PathBuf,
    /// Check everything, and store nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// Arguments of `functions update`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is not given stays as it is.\n\nExample:\n  $ badlambda functions update hello --retries \
                        3"
)]
pub struct UpdateArguments {
    /// The function.
    name: FunctionName,
    /// Its code: a Ruby file, a zip, or a folder with all there is below it; `-` reads a file from stdin.
    #[arg(value_name = "FILE|DIR")]
    file: Option<PathBuf>,
    /// Check everything, and store nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArguments,
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
    let config = config.read()?;
    let code = read_code(&file)?;
    let content = FunctionContent { code: &code, config: &config };
    print_changed(&output, &client.create_function(&name, &content, dry_run).await?)
}

/// Publishes the next version, unless another was published meanwhile.
pub async fn update(connection: &ConnectionArguments, arguments: UpdateArguments) -> Result<(), Failure> {
    let UpdateArguments { name, file, config, dry_run, output } = arguments;
    let Some(output) = output.open(&FUNCTION_FIELDS)? else { return Ok(()) };
    if file.is_none() && config.is_empty() {
        return Err(Failure::Usage(
            "say what changes: the file or folder with its code, or fields of its config".to_owned(),
        ));
    }
    let client = &connection.connect()?;
    let changes = config.changes()?;
    let code = file.map(|file| read_code(&file)).transpose()?;
    let found = client.get_function(&name).await;
    let Entity { value: function, entity_tag } = explained(client, &name, found).await?;
    let there =
        serde_json::to_value(&function.content.config).ok().and_then(|config| config.as_object().cloned());
    let config = Value::Object(changes.over(there.unwrap_or_default())?);
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
    say(&format!("{name} is deleted"));
    Ok(())
}
