//! `badlambda-worker`: configured by the environment alone.

use anyhow::Context;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::config::Environment;
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;
use badlambda_worker::config::Config;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    anyhow::ensure!(
        std::env::args_os().len() == 1,
        "badlambda-worker takes no arguments: its settings are environment variables, listed in README.md"
    );
    let environment = Environment::from_process()?;
    telemetry::init(&environment, "info")?;
    let program = std::env::current_exe().context("where is this program?")?;
    let programs = program.parent().context("this program lies in no folder")?.to_owned();
    let config = Config::from_environment(&environment, programs)?;
    let shutdown = Shutdown::on_signals()?;
    let admin = TcpListener::bind(config.listen).await.context("could not listen on BADLAMBDA_LISTEN")?;
    badlambda_worker::run(config, AwsClients::from_process().await, Some(admin), shutdown).await
}
