//! `up` on a terminal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::run;
use crate::fixtures::fleet::{Process, program, programs};

#[test]
fn who_starts_it_on_a_terminal_reads_no_json() {
    let folder = tempfile::tempdir().unwrap();
    let up = format!("exec {} up --listen 127.0.0.1:0 --slots 1", programs().join("badlambda").display());
    // util-linux's `script` gives it a terminal; what is written to its stdin is typed there.
    let mut on_terminal = Command::new("script");
    on_terminal.args(["--quiet", "--flush", "--return", "--command", &up, "/dev/null"]);
    on_terminal.env_clear().env("PATH", "/usr/bin:/bin").env("TERM", "xterm").current_dir(folder.path());
    on_terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut on_terminal = on_terminal.spawn().unwrap();
    let mut lines = BufReader::new(on_terminal.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen = String::new();
    let mut until = |what: &str| {
        for line in lines.by_ref() {
            seen += &line;
            seen.push('\n');
            if line.contains(what) {
                return seen.clone();
            }
        }
        panic!("it ended without {what:?}: {seen}");
    };
    let panel = until("badlambda invoke hello");
    assert!(panel.contains("\x1b[") && panel.contains("badlambda-executions"), "{panel}");
    assert!(!panel.contains("secret_access_key") && !panel.contains("--url"), "{panel}");

    let asked = |arguments: &[&str]| {
        let mut command = program("badlambda");
        command.args(arguments).current_dir(folder.path());
        let ended = run(command, "");
        assert_eq!(ended.status, 0, "{arguments:?}: {ended:?}");
        ended.stdout
    };
    std::fs::write(folder.path().join("one.rb"), "1").unwrap();
    asked(&["deploy", "one.rb"]);
    assert_eq!(asked(&["invoke", "one"]), "1\n");
    let log = until("execution finished");
    // A line for a person: no module, no span, no settings.
    assert!(!log.contains("badlambda_worker") && !log.contains("SharedConfig"), "{log}");

    on_terminal.stdin.take().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(on_terminal.wait().unwrap().code(), Some(0));
}

#[test]
fn elsewhere_the_first_line_is_json_with_all_addresses() {
    let data = tempfile::tempdir().unwrap();
    let mut up = program("badlambda");
    up.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(data.path()).stderr(Stdio::null());
    let line = Process::start(up).first_line();
    let names: Vec<&String> = line.as_object().unwrap().keys().collect();
    let expected = [
        "access_key_id",
        "api",
        "aws",
        "bucket",
        "dead_letter_queue_url",
        "queue_url",
        "region",
        "secret_access_key",
    ];
    assert_eq!(names, expected);
}
