//! The command `badlambda`: in `local` what runs the system, else what asks a deployment, an `up` that runs in the same
//! folder or one that it is told of.

mod completions;
mod connections;
mod dead_letters;
mod deploy;
mod dev;
mod doctor;
mod examples;
mod executions;
mod folders;
mod functions;
mod interrupts;
mod local;
mod maps;
mod mcp;
mod snapshots;
mod terminals;
mod tokens;
mod watched;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::fixtures::fleet::{Fleet, PATIENCE, Process, program, repository};

/// A folder with an `up` that has its data there, as a person starts it.
struct Folder {
    fleet: Fleet,
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn start(environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::copy(repository().join("deploy/examples/hello.rb"), folder.path().join("hello.rb")).unwrap();
        let mut up = program("badlambda");
        up.args(["up", "--listen", "127.0.0.1:0", "--slots", "4"]).current_dir(folder.path());
        let mut process = Process::start({
            up.envs(environment.iter().copied()).stderr(Stdio::null());
            up
        });
        let addresses = process.first_line();
        Self { fleet: Fleet::of(process, addresses), folder }
    }

    /// The id of a dead letter of this function, once there is one.
    fn a_dead_letter(&self, function: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ids = self.printed(&["dead-letters", "list", "--function", function, "--jq", ".[].id"]);
            if let Some(id) = ids.lines().next() {
                return id.to_owned();
            }
            assert!(Instant::now() < deadline, "there is no dead letter of {function}");
        }
    }

    /// Waits until so many executions of this function are listed.
    fn listed(&self, function: &str, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.printed(&["executions", "list", "--function", function]).lines().count() != count {
            assert!(Instant::now() < deadline, "there are not {count} executions of {function}");
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program("badlambda");
        command.args(arguments).current_dir(self.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run(self.command(arguments), "")
    }

    /// What must succeed, and what it printed.
    fn printed(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.status, 0, "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// What must end with this status, say this on stderr, and nothing on stdout.
    fn refused(&self, arguments: &[&str], status: i32, says: &str) {
        let ended = self.run(arguments);
        assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{arguments:?} does not say {says:?}: {}", ended.stderr);
    }
}

fn run(mut command: Command, stdin: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}
