//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::api::ApiArguments;
use crate::completions::CompletionsArguments;
use crate::connection::LeadingConnectionArguments;
use crate::cost::CostArguments;
use crate::dead_letters::DeadLettersArguments;
use crate::deploy::DeployArguments;
use crate::dev::DevArguments;
use crate::doctor::DoctorArguments;
use crate::executions::ExecutionsArguments;
use crate::functions::FunctionsArguments;
use crate::invoke::InvokeArguments;
use crate::local::run::RunArguments;
use crate::logs::LogsArguments;
use crate::manual::ManualArguments;
use crate::map::MapArguments;
use crate::mcp::McpArguments;
use crate::stats::StatsArguments;
use crate::token::TokenArguments;

/// The port that AWS's emulators have made known.
const AWS_PORT: u16 = 4566;

/// How the commands that ask an API end.
const EXIT_STATUS: &str = "Exit status: 0 succeeded, 1 the function failed, 2 bad usage or input, 3 a failure of Bad Lambda \
itself, 4 not allowed, 5 not found, 130 interrupted.\n\nWhich API is asked, --url, --token and --profile say, before the \
command or behind it.";

/// Run Ruby functions from a queue, confined: the whole of Bad Lambda on this machine, and a client of it anywhere.
#[derive(Debug, Parser)]
#[command(name = "badlambda", version, arg_required_else_help = true, after_help = EXIT_STATUS)]
pub struct Arguments {
    /// Which API is asked, where that stands before the command.
    #[command(flatten)]
    pub connection: LeadingConnectionArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one function once, through the whole system, and print its result.
    Run(RunArguments),
    /// Run a file again at each save, and show what came of it.
    Dev(DevArguments),
    /// Serve the whole system until it is told to stop.
    Up(UpArguments),
    /// Serve only the embedded SQS and S3.
    Aws(AwsArguments),
    /// Create, change and look at functions.
    Functions(FunctionsArguments),
    /// Make functions what their files say.
    Deploy(DeployArguments),
    /// Execute a function, wait for its end, and print its result.
    Invoke(InvokeArguments),
    /// Run a function over many inputs, and print what came of them.
    Map(MapArguments),
    /// Look at executions, end them, repeat them.
    Executions(ExecutionsArguments),
    /// Print what an execution logged.
    Logs(LogsArguments),
    /// Look at what was given up, send it back, delete it.
    DeadLetters(DeadLettersArguments),
    /// Tell how the queue stands, and what ended lately.
    Stats(StatsArguments),
    /// Tell what executions cost on AWS, here and on Lambda.
    Cost(CostArguments),
    /// Make tokens for an API, and tell which there are.
    Token(TokenArguments),
    /// Tell what is right and wrong with the connection and this machine, and what to do.
    Doctor(DoctorArguments),
    /// Print what lets a shell complete commands, names and ids.
    Completions(CompletionsArguments),
    /// Write manual pages and completions into a folder, for packages.
    #[command(hide = true)]
    Manual(ManualArguments),
    /// Serve the API's functions to a model, over the Model Context Protocol.
    Mcp(McpArguments),
    /// Make any request of the API, and print what it answers.
    Api(ApiArguments),
}

impl Command {
    /// Its name, where it asks no API.
    pub fn name_if_local(&self) -> Option<&'static str> {
        match self {
            Self::Run(_) => Some("run"),
            Self::Up(_) => Some("up"),
            Self::Aws(_) => Some("aws"),
            _ => None,
        }
    }
}

/// Arguments of `up`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda up --listen 127.0.0.1:0 --data data")]
pub struct UpArguments {
    /// Where the API listens; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where the embedded SQS and S3 listen [default: 127.0.0.1:4566, or any free port if --listen takes one].
    #[arg(long, value_name = "ADDR")]
    pub aws_listen: Option<SocketAddr>,
    /// The folder for functions, messages and executions.
    #[arg(long, value_name = "DIR", default_value = ".badlambda")]
    pub data: PathBuf,
    /// Executions at once [default: cores × 2].
    #[arg(long, value_name = "N")]
    pub slots: Option<usize>,
}

impl UpArguments {
    /// Where the embedded SQS and S3 listen.
    pub fn aws_listen(&self) -> SocketAddr {
        let port = if self.listen.port() == 0 { 0 } else { AWS_PORT };
        self.aws_listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

/// Arguments of `aws`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda aws --listen 127.0.0.1:0 --data data")]
pub struct AwsArguments {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    pub listen: SocketAddr,
    /// The folder for messages and objects.
    #[arg(long, value_name = "DIR", default_value = ".badlambda")]
    pub data: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::*;

    /// A heading holds for whatever comes behind it in a command's arguments.
    #[test]
    fn only_what_chooses_the_api_stands_under_connection() {
        fn check(command: &Command) {
            for argument in command.get_arguments() {
                let chooses = ["url", "token", "profile"].contains(&argument.get_id().as_str());
                let is_there = argument.get_help_heading() == Some("Connection");
                assert_eq!(is_there, chooses, "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }
}
