//! `badlambda`: the whole system in one process, and the command for any other.

use std::process::ExitCode;

use badlambda_cli::arguments::{Arguments, Command};
use badlambda_cli::local::{aws, run, up};
use badlambda_cli::output::Failure;
use badlambda_cli::process::run_to_end;
use badlambda_cli::{
    api, completions, cost, dead_letters, deploy, dev, doctor, executions, functions, invoke, logs, manual,
    map, mcp, stats, token,
};
use clap::Parser;

fn main() -> ExitCode {
    if completions::answer_shell() {
        return ExitCode::SUCCESS;
    }
    let Arguments { connection, command } = Arguments::parse();
    run_to_end(async {
        command.name_if_local().map_or(Ok(()), |name| connection.reject(name))?;
        match command {
            Command::Run(arguments) => run::run(arguments).await,
            Command::Dev(arguments) => dev::dev(arguments).await,
            Command::Mcp(arguments) => mcp::mcp(arguments).await,
            Command::Up(arguments) => up::up(arguments).await.map_err(Failure::from),
            Command::Aws(arguments) => aws::aws(arguments).await.map_err(Failure::from),
            elsewhere => ask(elsewhere).await,
        }
    })
}

/// The commands that ask an API, which an interrupt ends at once. Some have more to say about it.
async fn ask(command: Command) -> Result<(), Failure> {
    let asked = async {
        match command {
            Command::Functions(arguments) => functions::functions(arguments).await,
            Command::Deploy(arguments) => deploy::deploy(arguments).await,
            Command::Invoke(arguments) => invoke::invoke(arguments).await,
            Command::Map(arguments) => map::map(arguments).await,
            Command::Executions(arguments) => executions::executions(arguments).await,
            Command::Logs(arguments) => logs::logs(arguments).await,
            Command::DeadLetters(arguments) => dead_letters::dead_letters(arguments).await,
            Command::Stats(arguments) => stats::stats(arguments).await,
            Command::Cost(arguments) => cost::cost(&arguments),
            Command::Token(arguments) => token::token(&arguments),
            Command::Doctor(arguments) => doctor::doctor(arguments).await,
            Command::Completions(arguments) => completions::completions(&arguments),
            Command::Manual(arguments) => manual::manual(&arguments),
            Command::Api(arguments) => api::api(arguments).await,
            Command::Run(_) | Command::Dev(_) | Command::Mcp(_) | Command::Up(_) | Command::Aws(_) => Ok(()),
        }
    };
    tokio::select! {
        biased;
        ended = asked => ended,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted("interrupted".to_owned())),
    }
}
