//! `badlambda run`: one function, once, through the whole system.

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;
use badlambda_client::{Client, FunctionContent, Submit};
use badlambda_shared::config::{self, Environment};
use badlambda_shared::execution::Status;
use badlambda_shared::name::FunctionName;
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;
use serde_json::Value;

use crate::arguments::RunArguments;
use crate::executions::outcome::{describe, fetch_result, show_logs, wait_for_end};
use crate::local::own::name_for;
use crate::local::progress::Progress;
use crate::local::system::{System, SystemOptions, isolation_notice};

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
    let client = Client::new(format!("http://{}", system.api).parse()?, None)?;
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
        let name: FunctionName = self.name.parse()?;
        let content = FunctionContent { code: &self.code, config: &self.config };
        match client.create_function(&name, &content, false).await {
            Ok(_) => {}
            Err(error) if error.problem().is_some_and(|problem| problem.status < 500) => {
                progress.end();
                eprintln!("{error}");
                return Ok(ExitCode::from(FUNCTION_FAILED));
            }
            Err(error) => return Err(error.into()),
        }
        progress.say("running");
        let submitted = client.execute_function(&name, self.input, &Submit::default()).await?;
        let execution = wait_for_end(client, submitted).await?;
        let result = fetch_result(client, &execution).await?;
        let logs = match &execution.logs_url {
            Some(_) if self.logs => client.get_execution_logs(&name, &execution.id).await?.bytes().await?,
            _ => Vec::new(),
        };
        progress.end();
        show_logs(&String::from_utf8_lossy(&logs));
        match (execution.status, &execution.error) {
            (Status::Succeeded, _) => {
                println!("{result}");
                Ok(ExitCode::SUCCESS)
            }
            (_, Some(error)) => {
                eprintln!("{}", describe(error));
                Ok(ExitCode::from(FUNCTION_FAILED))
            }
            (_, None) => Ok(ExitCode::from(FUNCTION_FAILED)),
        }
    }
}
