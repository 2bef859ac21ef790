//! The API's process: telemetry, configuration, clients, and then [`badlambda_api::run`] until a signal.

#![forbid(unsafe_code)]

use anyhow::Context as _;
use badlambda_api::{Config, DEFAULT_LISTEN};
use badlambda_shared::aws::AwsClients;
use badlambda_shared::process::config::{Environment, LISTEN};
use badlambda_shared::process::health;
use badlambda_shared::process::shutdown::Shutdown;
use badlambda_shared::process::telemetry;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;

/// Serves the HTTP API. Its settings are environment variables, listed in deploy/configuration.md.
#[derive(Parser)]
#[command(name = "badlambda-api", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Asks the API that runs with these settings whether it lives, for a container's health check.
    ///
    /// Exits with 0 if it does, and with 1 if not.
    Health,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let environment = Environment::from_process()?;
    if let Some(Command::Health) = arguments.command {
        return Ok(health::check(environment.parsed(LISTEN)?.unwrap_or(DEFAULT_LISTEN)).await?);
    }
    let _telemetry = telemetry::init(&environment, "badlambda-api", "info")?;
    let config = Config::from_environment(&environment)?;
    let shutdown = Shutdown::on_signals().context("could not listen for signals")?;
    let aws = AwsClients::from_process().await;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("could not listen on {} (BADLAMBDA_LISTEN)", config.listen))?;
    badlambda_api::run(config, aws, listener, shutdown).await
}
