//! `badlambda`: the whole system in one process.

use std::process::ExitCode;

use badlambda_cli::arguments::{Arguments, Command};
use badlambda_cli::{aws, run, up};
use clap::Parser;

/// Our own failure, as the documentation of `run` has it.
const FAILED: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Run(arguments) => run::run(arguments).await,
        Command::Up(arguments) => up::up(arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Aws(arguments) => aws::aws(arguments).await.map(|()| ExitCode::SUCCESS),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("badlambda: {error:#}");
        ExitCode::from(FAILED)
    })
}
