//! `badlambda run`: one function, once, through the whole system.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use badlambda_shared::config::{self, Environment};
use badlambda_shared::execution::{Execution, ExecutionError, Status};
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;
use serde_json::Value;

use crate::arguments::RunArguments;
use crate::client::{Client, Created};
use crate::progress::Progress;
use crate::system::{System, SystemOptions, isolation_notice};

const FUNCTION_FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
const INTERRUPTED: u8 = 130;

/// What the command line asks for, checked.
struct Job {
    name: String,
    code: String,
    input: String,
    config: Value,
    logs: bool,
}

/// Runs the function; the exit status says what came of it.
pub async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let job = match Job::read(arguments) {
        Ok(job) => job,
        Err(error) => {
            eprintln!("badlambda: {error:#}");
            return Ok(ExitCode::from(BAD_USAGE));
        }
    };
    let _telemetry = telemetry::init(&Environment::from_process()?, "badlambda", "error")?;
    let progress = Progress::start();
    if let Some(notice) = isolation_notice()? {
        progress.note(notice);
    }
    progress.say("starting the system");
    let data = tempfile::tempdir().context("could not make a folder for this run")?;
    let any_port = "127.0.0.1:0".parse()?;
    // One execution; and who interrupts it does not want to wait for its end.
    let settings = vec![(config::SLOTS, "1".to_owned()), (config::DRAIN_SECONDS, "0".to_owned())];
    let options =
        SystemOptions { listen: any_port, aws_listen: any_port, data: data.path().to_owned(), settings };
    let shutdown = Shutdown::on_signals()?;
    let mut system = System::start(options, shutdown.clone()).await?;
    let client = Client::new(format!("http://{}", system.api))?;
    let ended = tokio::select! {
        ended = job.run(&client, &progress) => ended,
        failed = system.ended() => failed.and(Err(anyhow::anyhow!("the system ended"))),
    };
    let interrupted = shutdown.soft.is_cancelled();
    progress.end();
    // Nothing else is under way that would have to come to its end.
    shutdown.hard.cancel();
    system.stop().await?;
    // Whatever failed then failed because of that.
    if interrupted { Ok(ExitCode::from(INTERRUPTED)) } else { ended }
}

impl Job {
    fn read(arguments: RunArguments) -> anyhow::Result<Self> {
        let file = &arguments.file;
        let code =
            std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        let input = match arguments.input.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("could not read the input from stdin")?;
                text
            }
            json => json.to_owned(),
        };
        serde_json::from_str::<serde::de::IgnoredAny>(&input)
            .context("the input is not JSON; quote a string as '\"text\"'")?;
        let config = serde_json::from_str(&arguments.config).context("--config is not JSON")?;
        Ok(Self { name: name_for(file), code, input, config, logs: arguments.logs })
    }

    async fn run(self, client: &Client, progress: &Progress) -> anyhow::Result<ExitCode> {
        progress.say("creating the function");
        if let Created::Refused(why) = client.create(&self.name, &self.code, &self.config).await? {
            progress.end();
            eprintln!("{why}");
            return Ok(ExitCode::from(FUNCTION_FAILED));
        }
        progress.say("running");
        let execution = client.execute(&self.name, self.input).await?;
        let result = result(client, &execution).await?;
        let logs = match &execution.logs_url {
            Some(url) if self.logs => client.fetch(url).await?,
            _ => String::new(),
        };
        progress.end();
        eprint!("{logs}");
        if !logs.is_empty() && !logs.ends_with('\n') {
            eprintln!();
        }
        match (execution.status, &execution.error) {
            (Status::Succeeded, _) => {
                println!("{result}");
                Ok(ExitCode::SUCCESS)
            }
            (_, Some(error)) => {
                eprint!("{}", describe(error));
                Ok(ExitCode::from(FUNCTION_FAILED))
            }
            (_, None) => Ok(ExitCode::from(FUNCTION_FAILED)),
        }
    }
}

/// The result itself, from the record or, where it is large, from its URL.
async fn result(client: &Client, execution: &Execution) -> anyhow::Result<String> {
    match (&execution.result, &execution.result_url) {
        (Some(json), _) => Ok(json.get().to_owned()),
        (None, Some(url)) => client.fetch(url).await,
        (None, None) => Ok(String::new()),
    }
}

/// An error as a person reads it: what, then where.
fn describe(error: &ExecutionError) -> String {
    let class = error.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
    let mut text = format!("the function failed ({}): {class}{}\n", error.kind.name(), error.message);
    for line in &error.backtrace {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// A function's name made from a file's.
fn name_for(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let safe: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let trimmed = safe.trim_start_matches('-');
    if trimmed.is_empty() { "function".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use badlambda_shared::execution::ErrorKind;

    use super::*;

    #[test]
    fn any_file_gives_a_valid_name() {
        for (file, name) in [("a/hello.rb", "hello"), ("/x/_my file.rb", "my-file"), ("é.rb", "function")] {
            assert_eq!(name_for(Path::new(file)), name);
        }
    }

    #[test]
    fn an_error_says_what_and_where() {
        let error = ExecutionError {
            kind: ErrorKind::Exception,
            class: Some("KeyError".to_owned()),
            message: "key not found".to_owned(),
            backtrace: vec!["function.rb:3:in `fetch'".to_owned()],
        };
        assert_eq!(
            describe(&error),
            "the function failed (exception): KeyError: key not found\n  function.rb:3:in `fetch'\n"
        );
    }
}
