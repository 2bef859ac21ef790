//! `badlambda run`: what is on stdout, what on stderr, and the exit status.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::fixtures::fleet::{program, repository};

fn run(arguments: &[&str], stdin: &str) -> Output {
    let mut command = program("badlambda");
    command.arg("run").args(arguments).current_dir(repository());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn function(code: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("function.rb");
    fs::write(&path, code).unwrap();
    (folder, path.display().to_string())
}

#[test]
fn the_result_and_nothing_else_is_on_stdout() {
    let output = run(&["deploy/examples/hello.rb", r#"{"name": "Ada"}"#], "");
    assert_eq!(text(&output.stdout), "{\"greeting\":\"Hello, Ada!\"}\n", "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).lines().any(|line| line == "running"), "{}", text(&output.stderr));
}

#[test]
fn the_input_may_come_from_stdin_and_logs_are_shown_on_demand() {
    let (_folder, path) = function("puts 'one'; warn 'two'; event");
    let output = run(&[&path, "-", "--logs"], "[1, 2]");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "[1,2]\n".to_owned()));
    assert!(text(&output.stderr).contains("one\ntwo\n"), "{}", text(&output.stderr));
    let quiet = run(&[&path, "1"], "");
    assert!(!text(&quiet.stderr).contains("one\n"), "{}", text(&quiet.stderr));
}

#[test]
fn a_large_result_is_printed_whole() {
    let (_folder, path) = function("'x' * 100_000");
    let output = run(&[&path], "");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, json!("x".repeat(100_000)));
}

#[test]
fn a_failing_function_is_told_with_its_backtrace() {
    let (_folder, path) = function("def deep = raise(KeyError, 'no such order')\n\ndeep\n");
    let output = run(&[&path], "");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("KeyError: no such order"), "{stderr}");
    assert!(stderr.contains("  function.rb:1:in ") && stderr.contains("  function.rb:3:in "), "{stderr}");
    let (_folder, path) = function("x = = 2");
    let output = run(&[&path], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("function.rb:1:"), "{}", text(&output.stderr));
}

#[test]
fn bad_usage_has_its_own_exit_status() {
    let (_folder, path) = function("1");
    for arguments in [
        &["/no/such/file.rb"][..],
        &[&path, "{not json"],
        &[&path, "1", "--config", "["],
        &[&path, "1", "--unknown"],
        &[],
    ] {
        let output = run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    assert_eq!(program("badlambda").stderr(Stdio::null()).status().unwrap().code(), Some(2));
}

#[test]
fn our_own_failure_has_another() {
    let mut command = program("badlambda");
    command.args(["run", "deploy/examples/hello.rb"]).current_dir(repository()).env("BADLAMBDA_SLOTS_", "1");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("BADLAMBDA_SLOTS_ is not a setting"), "{}", text(&output.stderr));
}

#[test]
fn an_interrupt_ends_it_at_once() {
    let (_folder, path) = function("sleep");
    let mut command = program("badlambda");
    command.args(["run", &path]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // As by default: what this machine lacks is told in a warning.
    let mut child = command.env("BADLAMBDA_LOG", "error").spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "running"));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(lines.collect::<Vec<_>>(), ["badlambda: interrupted"]);
}
