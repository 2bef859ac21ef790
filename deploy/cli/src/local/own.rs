//! A system of its own for one command: it is started for it, on any free ports and in a folder of its own, and leaves
//! nothing behind.

use std::path::Path;

use badlambda_client::{Client, FunctionContent};
use badlambda_shared::config::{self, Environment};
use badlambda_shared::name::FunctionName;
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;
use serde_json::{Value, json};

use crate::input::read_text;
use crate::local::progress::Progress;
use crate::local::system::{System, SystemOptions, isolation_notice};
use crate::output::Failure;

/// A function that is made of a file.
pub struct OwnFunction {
    name: FunctionName,
    code: String,
    config: Value,
}

impl OwnFunction {
    /// Reads the file.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let name = name_for(file).parse().map_err(|error| Failure::Usage(format!("{error}")))?;
        Ok(Self { name, code: read_text(file)?, config: json!({}) })
    }

    /// Creates the function.
    pub async fn create(&self, client: &Client) -> Result<FunctionName, Failure> {
        let content = FunctionContent { code: &self.code, config: &self.config };
        client.create_function(&self.name, &content, false).await?;
        Ok(self.name.clone())
    }
}

/// Starts a system, lets `job` use it, and stops it. An interrupt ends both.
pub async fn with_own_system(job: impl AsyncFnOnce(&Client) -> Result<(), Failure>) -> Result<(), Failure> {
    let ours = |error: anyhow::Error| Failure::Ours(format!("{error:#}"));
    let environment = Environment::from_process().map_err(|error| Failure::Usage(error.to_string()))?;
    let _telemetry = telemetry::init(&environment, "badlambda", "error")
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let progress = Progress::start();
    if let Some(notice) = isolation_notice().map_err(ours)? {
        progress.note(notice);
    }
    progress.say("starting the system");
    let data = tempfile::tempdir()
        .map_err(|error| Failure::Ours(format!("could not make a folder for this run: {error}")))?;
    let any_port = (std::net::Ipv4Addr::LOCALHOST, 0).into();
    // Who interrupts it does not want to wait for its end.
    let settings = vec![(config::DRAIN_SECONDS, "0".to_owned())];
    let options =
        SystemOptions { listen: any_port, aws_listen: any_port, data: data.path().to_owned(), settings };
    let shutdown = Shutdown::on_signals().map_err(|error| Failure::Ours(error.to_string()))?;
    let mut system = System::start(options, shutdown.clone()).await.map_err(ours)?;
    progress.end();
    let client =
        format!("http://{}", system.api).parse().map_err(|error| Failure::Ours(format!("{error}")))?;
    let client = Client::new(client, None)?;
    let ended = tokio::select! {
        ended = job(&client) => ended,
        failed = system.ended() => failed.map_err(ours).and(Err(Failure::Ours("the system ended".to_owned()))),
        () = shutdown.soft.cancelled() => Err(Failure::Interrupted("interrupted".to_owned())),
    };
    // Nothing else is under way that would have to come to its end.
    shutdown.hard.cancel();
    let stopped = system.stop().await.map_err(ours);
    ended.and(stopped)
}

/// A function's name made from a file's.
pub fn name_for(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let safe: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let trimmed = safe.trim_start_matches('-');
    if trimmed.is_empty() { "function".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_file_gives_a_valid_name() {
        for (file, name) in [("a/hello.rb", "hello"), ("/x/_my file.rb", "my-file"), ("é.rb", "function")] {
            assert_eq!(name_for(Path::new(file)), name);
        }
    }
}
