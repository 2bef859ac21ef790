//! The API's process: telemetry, configuration, clients, and then [`badlambda_api::run`] until a signal.

#![forbid(unsafe_code)]

use anyhow::Context as _;
use badlambda_api::Config;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::config::Environment;
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    anyhow::ensure!(
        std::env::args_os().len() == 1,
        "badlambda-api takes no arguments: its settings are environment variables, listed in README.md"
    );
    let environment = Environment::from_process()?;
    telemetry::init(&environment, "info")?;
    let config = Config::from_environment(&environment)?;
    let shutdown = Shutdown::on_signals().context("could not listen for signals")?;
    let aws = AwsClients::from_process().await;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("could not listen on {} (BADLAMBDA_LISTEN)", config.listen))?;
    badlambda_api::run(config, aws, listener, shutdown).await
}
