//! `badlambda completions`: how a shell learns to complete a line. What it prints lets the shell ask this program at each Tab
//! ([`answer_shell`]), which knows its commands, and asks the API for `names` of functions and the like.

mod names;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::Shells;

use crate::arguments::Arguments;
use crate::output::{Failure, print};

/// The shells that there are completions for.
pub const SHELLS: [&str; 3] = ["bash", "fish", "zsh"];

/// In this variable, a shell that asks says which it is.
const ASKED_BY: &str = "COMPLETE";
const NAME: &str = "badlambda";

const ABOUT: &str = "Names of functions, aliases and executions come from the API that any other command would ask on that line; \
where it does not answer within a second, there are none.\n\nIn ~/.bashrc:   source <(badlambda completions bash)\nIn ~/.zshrc:    \
source <(badlambda completions zsh)\nIn fish:        badlambda completions fish > \
~/.config/fish/completions/badlambda.fish\n\nExample:\n  $ badlambda completions bash";

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct CompletionsArguments {
    /// The shell.
    #[arg(value_parser = PossibleValuesParser::new(SHELLS))]
    shell: String,
}

/// Prints what the shell is to read.
pub fn completions(arguments: &CompletionsArguments) -> Result<(), Failure> {
    print(&String::from_utf8_lossy(&registration(&arguments.shell)?))
}

/// What lets a shell ask.
pub fn registration(shell: &str) -> Result<Vec<u8>, Failure> {
    let mut script = vec![];
    let shells = Shells::builtins();
    let completer = shells
        .completer(shell)
        .ok_or_else(|| Failure::Usage(format!("{shell} is no shell that is known")))?;
    completer.write_registration(ASKED_BY, NAME, NAME, NAME, &mut script)?;
    Ok(script)
}

/// Answers a shell that asks how a line goes on. Whether one does; nothing else is to be done then. It must come before
/// there are threads, since it changes the environment.
pub fn answer_shell() -> bool {
    let folder = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(command).var(ASKED_BY);
    // Nobody reads errors in the middle of a line.
    asked.try_complete(std::env::args_os(), folder.as_deref()).unwrap_or(true)
}

/// The command line, with what the API knows.
fn command() -> Command {
    completed(Arguments::command())
}

fn completed(command: Command) -> Command {
    command.mut_args(with_names).mut_subcommands(completed)
}

/// An argument says by its type what it names.
fn with_names(argument: Arg) -> Arg {
    match names::for_argument(&argument) {
        Some(names) => argument.add(ArgValueCompleter::new(names)),
        None => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_learns_to_ask() {
        for shell in SHELLS {
            let script = String::from_utf8(registration(shell).unwrap()).unwrap();
            assert!(
                script.contains(&format!("{ASKED_BY}=\"{shell}\""))
                    || script.contains(&format!("{ASKED_BY}={shell}")),
                "{script}"
            );
        }
    }

    #[test]
    fn arguments_that_name_something_of_the_apis_are_completed() {
        let mut command = command();
        command.build();
        let is_completed = |path: &[&str], name: &str| {
            let found =
                path.iter().try_fold(&command, |command, name| command.find_subcommand(name)).unwrap();
            let argument = found.get_arguments().find(|argument| argument.get_id() == name);
            argument.unwrap_or_else(|| panic!("{path:?} has no {name}")).get::<ArgValueCompleter>().is_some()
        };
        for (path, name) in [
            (&["invoke"][..], "name"),
            (&["invoke"], "version"),
            (&["functions", "alias"], "alias"),
            (&["functions", "diff"], "from"),
            (&["executions", "replay"], "execution"),
            (&["executions", "list"], "function"),
            (&["logs"], "execution"),
        ] {
            assert!(is_completed(path, name), "{path:?} {name}");
        }
        assert!(!is_completed(&["invoke"], "input"));
    }
}
