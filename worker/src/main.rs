//! `badlambda-worker`: configured by the environment alone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::aws::store::Store;
use badlambda_shared::index::rebuild::rebuild;
use badlambda_shared::process::config::{Environment, LISTEN, SharedConfig};
use badlambda_shared::process::health;
use badlambda_shared::process::shutdown::Shutdown;
use badlambda_shared::process::telemetry;
use badlambda_worker::config::{Config, DEFAULT_LISTEN, SandboxConfig};
use badlambda_worker::doctor;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;

/// Takes executions from the queue and runs them, confined. Its settings are environment variables, listed in
/// deploy/configuration.md.
#[derive(Parser)]
#[command(name = "badlambda-worker", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Tells how executions would be confined here, having tried every layer from inside.
    ///
    /// Exits with 0 if a worker with these settings would start, and with 1 if not.
    Doctor {
        /// Prints JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Makes the index of executions anew from their records, where it was lost. Lists are whole again once it has ended.
    ///
    /// What is listed already stays so. It can be broken off, and begun again, at any time.
    RebuildIndex,
    /// Asks the worker that runs with these settings whether it lives, for a container's health check.
    ///
    /// Exits with 0 if it does, and with 1 if not.
    Health,
}

#[tokio::main]
async fn main() -> ExitCode {
    start().await.unwrap_or_else(|error| {
        eprintln!("badlambda-worker: {error:#}");
        ExitCode::FAILURE
    })
}

async fn start() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let environment = Environment::from_process()?;
    let program = std::env::current_exe().context("where is this program?")?;
    let programs = program.parent().context("this program lies in no folder")?.to_owned();
    match arguments.command {
        None => run(&environment, programs).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Doctor { json }) => examine(&environment, programs, json).await,
        Some(Command::RebuildIndex) => rebuild_index(&environment).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Health) => {
            let listen = environment.parsed(LISTEN)?.unwrap_or(DEFAULT_LISTEN);
            health::check(listen).await.map(|()| ExitCode::SUCCESS).map_err(Into::into)
        }
    }
}

async fn run(environment: &Environment, programs: PathBuf) -> anyhow::Result<()> {
    let _telemetry = telemetry::init(environment, "badlambda-worker", "info")?;
    let config = Config::from_environment(environment, programs)?;
    let shutdown = Shutdown::on_signals()?;
    let admin = TcpListener::bind(config.listen).await.context("could not listen on BADLAMBDA_LISTEN")?;
    badlambda_worker::run(config, AwsClients::from_process().await, Some(admin), shutdown).await
}

async fn examine(environment: &Environment, programs: PathBuf, json: bool) -> anyhow::Result<ExitCode> {
    let _telemetry = telemetry::init(environment, "badlambda-worker", "warn")?;
    let config = SandboxConfig::from_environment(environment, programs)?;
    let diagnosis = tokio::task::spawn_blocking(move || doctor::examine(config)).await??;
    if json {
        println!("{}", serde_json::to_string_pretty(&diagnosis)?);
    } else {
        print!("{diagnosis}");
    }
    Ok(if diagnosis.starts { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rebuild_index(environment: &Environment) -> anyhow::Result<()> {
    let _telemetry = telemetry::init(environment, "badlambda-worker", "warn")?;
    let config = SharedConfig::from_environment(environment)?;
    let store = Store::new(&AwsClients::from_process().await, &config);
    let listed = rebuild(&store, |listed| eprintln!("{listed} executions so far")).await?;
    println!("{listed} executions are listed");
    Ok(())
}
