//! `badlambda dev`: runs a file or folder again at each save, through a system of its own. `watch` tells of saves, `inputs` are what it
//! runs with, `report` shows what came of it.

mod inputs;
mod report;
mod watch;

use std::path::PathBuf;
use std::time::Instant;

use badlambda_client::{Client, Code, FunctionContent};
use badlambda_shared::execution::Status;
use badlambda_shared::function::name::FunctionName;
use clap::Args;
use serde_json::Value;

use self::inputs::{Input, InputArguments, Inputs};
use self::report::{Ended, Report, Reports};
use self::watch::{Cause, Change, Watch};
use crate::code::read_code;
use crate::config::ConfigArguments;
use crate::connection::ConnectionArguments;
use crate::executions::outcome::{fetch_logs, fetch_result};
use crate::local::own::with_own_system;
use crate::local::progress::Progress;
use crate::local::run::{execute_file, name_for};
use crate::output::Failure;

/// Arguments of `dev`.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is changed in any deployment. On a terminal it shows the result, what it differs in from the one \
                        before, and the logs; elsewhere it prints a line of JSON for each run. A folder runs again when \
                        any file in it is saved that is not hidden. Ctrl-C ends it.\n\nExamples:\n  \
                        $ badlambda dev hello.rb '{\"name\": \"Ada\"}' --once\n  $ badlambda dev hello.rb --replay hello --once"
)]
pub struct DevArguments {
    /// The function's code: a Ruby file, a zip, or a folder with all there is below it.
    #[arg(value_name = "FILE|DIR")]
    file: PathBuf,
    #[command(flatten)]
    input: InputArguments,
    /// Run once, and end with its status.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What is run again and again.
struct Session<'a> {
    client: &'a Client,
    name: FunctionName,
    file: PathBuf,
    config: Value,
    inputs: Inputs,
    reports: Reports,
}

/// Runs the file at once, and again at each save.
pub async fn dev(arguments: DevArguments) -> Result<(), Failure> {
    let DevArguments { file, input, once, config, connection } = arguments;
    if file.as_os_str() == "-" {
        return Err(Failure::Usage(
            "dev watches a file or folder, and stdin is none: `badlambda run` takes it".to_owned(),
        ));
    }
    let (name, config) = (name_for(&file)?, config.read()?);
    let inputs = Inputs::choose(input, &connection).await?;
    // What is wrong from the beginning is no save to wait for.
    read_code(&file)?;
    inputs.read()?;
    let mut watch = Watch::start(&file, inputs.file())?;
    let progress = Progress::start();
    with_own_system(Some(1), &progress, async |client| {
        progress.end();
        let reports = Reports::default();
        let mut session = Session { client, name, file, config, inputs, reports };
        let mut change = Change { cause: Cause::Start, at: Instant::now() };
        loop {
            let succeeded = session.run_all(change).await?;
            if once {
                return if succeeded { Ok(()) } else { Err(Failure::FunctionFailed("it failed".to_owned())) };
            }
            change = watch.next_change().await?;
        }
    })
    .await
}

impl Session<'_> {
    /// Runs the file as it is now with each input, and tells whether all succeeded.
    async fn run_all(&mut self, change: Change) -> Result<bool, Failure> {
        let read = read_code(&self.file).and_then(|code| Ok((code, self.inputs.read()?)));
        let (code, inputs) = match read {
            Ok(read) => read,
            Err(failure) => {
                self.reports.show(Report { change, input: None, ended: Err(failure) })?;
                return Ok(false);
            }
        };
        let mut succeeded = true;
        for input in &inputs {
            let ended = self.run(&code, input).await;
            succeeded &= ended.as_ref().is_ok_and(|ended| ended.execution.status == Status::Succeeded);
            // Only what comes of the file or its input can be better after the next save.
            if let Err(Failure::Ours(sentence)) = ended {
                return Err(Failure::Ours(sentence));
            }
            self.reports.show(Report { change, input: Some(input), ended })?;
        }
        Ok(succeeded)
    }

    async fn run(&self, code: &Code, input: &Input) -> Result<Ended, Failure> {
        let content = FunctionContent { code, config: &self.config };
        let execution =
            execute_file(self.client, &self.name, &self.file, &content, input.json.clone()).await?;
        let result = fetch_result(self.client, &execution).await?;
        let logs = fetch_logs(self.client, &execution).await?;
        Ok(Ended { execution, result, logs: String::from_utf8_lossy(&logs).into_owned() })
    }
}
