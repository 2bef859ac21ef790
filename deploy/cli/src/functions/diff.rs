//! `functions diff`: what two versions of a function differ in, or a version and a file.

use std::path::PathBuf;

use badlambda_client::{Client, Error};
use badlambda_shared::function::FunctionConfig;
use badlambda_shared::name::{FunctionName, VersionRef};
use clap::Args;
use similar::TextDiff;

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::input::read_text;
use crate::output::{Failure, colored_diff, for_stdout, print_styled};

/// Arguments of `functions diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  $ badlambda functions diff hello 1\n  $ badlambda functions diff hello 1 2\n  $ \
                        badlambda functions diff hello --file hello.rb"
)]
pub struct DiffArguments {
    /// The function.
    name: FunctionName,
    /// The older version: a number, an alias or $LATEST.
    #[arg(default_value = "$LATEST")]
    from: VersionRef,
    /// The newer version.
    #[arg(default_value = "$LATEST", conflicts_with = "file")]
    to: VersionRef,
    /// Compare with this file in place of a newer version; `-` reads it from stdin.
    #[arg(long)]
    file: Option<PathBuf>,
}

/// One side: its name, its code, and its config as text, where it has one.
pub(crate) struct Side {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) config: Option<String>,
}

/// Prints the difference as a unified diff; without one, nothing.
pub async fn diff(connection: &ConnectionArguments, arguments: DiffArguments) -> Result<(), Failure> {
    let client = &connection.connect()?;
    let DiffArguments { name, from, to, file } = arguments;
    let newer = match file {
        Some(file) => Ok(Side { name: file.display().to_string(), code: read_text(&file)?, config: None }),
        None => side(client, &name, &to).await,
    };
    let older = explained(client, &name, side(client, &name, &from).await).await?;
    let newer = explained(client, &name, newer).await?;
    print_styled(&unified(&older, &newer))
}

async fn side(client: &Client, function: &FunctionName, version: &VersionRef) -> Result<Side, Error> {
    let found = client.get_version(function, version).await?;
    let number = VersionRef::Number(found.version);
    let code = client.get_version_code(function, &number).await?;
    let config = config_text(&found.content.config);
    Ok(Side { name: format!("{function} {number}"), code, config: Some(config) })
}

/// A config as it is compared, with a line for each field.
pub(crate) fn config_text(config: &FunctionConfig) -> String {
    serde_json::to_string_pretty(config).unwrap_or_default() + "\n"
}

/// What the newer side has in place of the older one's, as a unified diff; where nothing differs, nothing.
pub(crate) fn unified(older: &Side, newer: &Side) -> String {
    let names = |what| (format!("{} ({what})", older.name), format!("{} ({what})", newer.name));
    let mut text = of_text(&older.code, &newer.code, names("code"));
    if let (Some(older), Some(newer)) = (&older.config, &newer.config) {
        text += &of_text(older, newer, names("config"));
    }
    text
}

fn of_text(older: &str, newer: &str, (older_name, newer_name): (String, String)) -> String {
    let diff = TextDiff::from_lines(older, newer);
    let plain = diff.unified_diff().header(&older_name, &newer_name).to_string();
    colored_diff(&for_stdout(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, code: &str, config: Option<&str>) -> Side {
        Side { name: name.to_owned(), code: code.to_owned(), config: config.map(str::to_owned) }
    }

    #[test]
    fn code_and_config_are_compared() {
        console::set_colors_enabled(false);
        let (older, newer) = (side("f 1", "a\nb\n", Some("{}\n")), side("f 2", "a\nc\n", Some("{}\n")));
        assert_eq!(unified(&older, &older), "");
        let expected = "--- f 1 (code)\n+++ f 2 (code)\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        assert_eq!(unified(&older, &newer), expected);
        // A file has no config.
        assert_eq!(unified(&older, &side("x.rb", "a\nb\n", None)), "");
    }
}
