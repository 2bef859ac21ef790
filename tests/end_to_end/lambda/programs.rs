//! Clients that nobody here wrote, which `tests/run` installs, told where Lambda is and who asks.

use std::process::Stdio;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Config, Credentials, Region};
use serde_json::Value;
use tokio::process::Command;

use crate::fixtures::fleet::{Fleet, PATIENCE, repository};
use crate::messages::senders::isolated;

const PYTHON: &str = "target/python/bin/python";

/// What a client is told.
pub struct Settings<'a> {
    pub fleet: &'a Fleet,
    /// Where Lambda is.
    pub url: &'a str,
    /// How often a call is tried, all in all.
    pub attempts: u32,
}

impl<'a> Settings<'a> {
    /// Of a client that asks the fleet itself, and retries nothing, so that every error is seen.
    pub fn of(fleet: &'a Fleet) -> Self {
        Self { fleet, url: fleet.address("api"), attempts: 1 }
    }

    /// What a script of this folder prints, in JSON.
    pub async fn script(&self, script: &str, arguments: &[&str]) -> Value {
        let mut command = match script.rsplit_once('.') {
            Some((_, "py")) => self.command(PYTHON),
            _ => self.node(),
        };
        command.arg(repository().join("tests/end_to_end/lambda").join(script)).args(arguments);
        printed(command).await
    }

    /// What a program in Python prints, in JSON.
    pub async fn python(&self, program: &str) -> Value {
        let mut python = self.command(PYTHON);
        python.args(["-c", program]);
        printed(python).await
    }

    /// What `aws lambda` prints with these arguments, on stdout and on stderr.
    pub async fn aws(&self, arguments: &[&str]) -> (String, String) {
        let mut command = self.command("target/python/bin/aws");
        command.arg("lambda").args(arguments).args(["--output", "json"]);
        ended(command).await
    }

    /// AWS's SDK for Rust, which waits so long for an answer.
    pub fn rust(&self, read_timeout: Duration) -> Client {
        let address = |name| self.fleet.address(name).to_owned();
        let credentials =
            Credentials::new(address("access_key_id"), address("secret_access_key"), None, None, "printed");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(address("region")))
            .endpoint_url(self.url)
            .credentials_provider(credentials)
            .retry_config(RetryConfig::standard().with_max_attempts(self.attempts))
            .timeout_config(TimeoutConfig::builder().read_timeout(read_timeout).build());
        Client::from_conf(config.build())
    }

    /// Node, which finds AWS's SDK from where it runs.
    fn node(&self) -> Command {
        let mut node = self.command("/usr/bin/node");
        node.current_dir(repository().join("target/node"));
        node
    }

    fn command(&self, program: &str) -> Command {
        let mut command = isolated(repository().join(program));
        command.env("AWS_ENDPOINT_URL_LAMBDA", self.url).env("AWS_MAX_ATTEMPTS", self.attempts.to_string());
        for (variable, name) in [
            ("AWS_REGION", "region"),
            ("AWS_DEFAULT_REGION", "region"),
            ("AWS_ACCESS_KEY_ID", "access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
        ] {
            command.env(variable, self.fleet.address(name));
        }
        command.stdin(Stdio::null());
        command
    }
}

async fn printed(command: Command) -> Value {
    let (printed, said) = ended(command).await;
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{said}"))
}

/// What a program has printed, and what it has said on stderr.
async fn ended(mut command: Command) -> (String, String) {
    let ended = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends in time");
    let ended = ended.expect("tests/run installs it");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(ended.stdout), text(ended.stderr))
}
