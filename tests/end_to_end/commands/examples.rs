//! Every example that `--help` shows, done as it says.

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use badlambda_cli::arguments::Arguments;
use clap::{Command, CommandFactory as _};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::{Folder, run};
use crate::fixtures::fleet::{Process as Running, programs};

/// They serve until they are told to stop.
const SERVERS: [&str; 2] = ["up", "aws"];

/// The examples of a command and of all below it, in their order. Whatever does something has one.
fn examples(command: &Command) -> Vec<String> {
    if command.has_subcommands() {
        let below = command.get_subcommands().filter(|below| !SERVERS.contains(&below.get_name()));
        return below.flat_map(examples).collect();
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples: Vec<_> =
        help.lines().filter_map(|line| line.strip_prefix("  $ ").map(str::to_owned)).collect();
    assert!(!examples.is_empty(), "{} has no example", command.get_name());
    examples
}

#[test]
fn they_do_what_they_show() {
    let folder = Folder::start(&[]);
    folder.write("inputs.ndjson", "{\"name\": \"Ada\"}\n");
    fs::create_dir(folder.path().join("shout")).unwrap();
    folder.write("shout/function.rb", "def handler(event:, context:) = event.upcase");
    for name in ["hello", "old"] {
        folder.printed(&["functions", "create", name, "hello.rb"]);
    }
    folder.printed(&["functions", "update", "hello", "--config", r#"{"memory_mb": 128}"#]);
    let id = folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#, "--jq", ".id"]);
    folder.listed("hello", 1);
    let queued = folder.printed(&["invoke", "hello", "--delay", "900", "--detach"]);
    // Each dead letter is one less for the examples behind it.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..2 {
        runtime.block_on(folder.fleet.send("1", Some("late")));
    }
    let dead_letter = folder.a_dead_letter("late");
    for example in examples(&Arguments::command()) {
        let mut shell = shell(&example, folder.path());
        shell.env("ID", id.trim()).env("QUEUED", queued.trim()).env("DEAD_LETTER", &dead_letter);
        let ended = run(shell, "");
        assert_eq!(ended.status, 0, "{example}: {ended:?}");
    }
}

#[test]
fn servers_serve_until_they_are_told_to_stop() {
    for server in SERVERS {
        let arguments = Arguments::command();
        for example in examples(arguments.find_subcommand(server).unwrap()) {
            let folder = TempDir::new().unwrap();
            let mut process = Running::start(shell(&format!("exec {example}"), folder.path()));
            let addresses = process.first_line();
            assert!(addresses["aws"].is_string(), "{example}: {addresses}");
            process.signal(Signal::SIGTERM);
            assert_eq!(process.wait(), Some(0), "{example}");
        }
    }
}

/// A shell in this folder that finds the command.
fn shell(line: &str, folder: &Path) -> Process {
    let mut shell = Process::new("sh");
    shell.args(["-c", line]).env_clear().current_dir(folder);
    shell.env("PATH", format!("{}:/usr/bin:/bin", programs().display()));
    shell
}
