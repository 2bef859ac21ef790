//! Without root: everything starts all the same, says so in one line, and records show it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::json;

use crate::fixtures::fleet::{Fleet, Process, install, programs};

const NOBODY: u32 = 65_534;

/// The programs in a folder that everyone may read, and a command of one of them as nobody.
fn as_nobody(name: &str) -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for program in ["badlambda", "badlambda-worker", "badlambda-zygote", "badlambda-cleaner"] {
        install(&programs().join(program), &folder.path().join(program));
    }
    let mut command = Command::new(folder.path().join(name));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("BADLAMBDA_LOG", "warn").current_dir(folder.path());
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    (folder, command)
}

#[test]
fn run_says_so_in_one_line_and_runs() {
    let (folder, mut command) = as_nobody("badlambda");
    let hello = folder.path().join("hello.rb");
    fs::write(
        &hello,
        "{ id: Process.uid, fork: (begin; fork; rescue SystemCallError => e; e.class.name; end) }",
    )
    .unwrap();
    let output = command.arg("run").arg(&hello).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.contains("unprivileged")).count(), 1, "{stderr}");
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["fork"], "Errno::EPERM");
}

#[tokio::test]
async fn records_show_it_and_nothing_is_left_behind() {
    let (_folder, mut command) = as_nobody("badlambda");
    command.args(["up", "--listen", "127.0.0.1:0", "--slots", "2"]);
    let mut process = Process::start(command);
    let addresses = process.first_line();
    let fleet = Fleet::of(process, addresses);
    let daemon = "File.write('left', 'x'); fork { Process.setsid; fork { sleep }; sleep }";
    fleet.create("daemon", daemon, json!({"subprocesses": true})).await;
    fleet.create("hello", "Dir.children('.')", json!({})).await;
    let started = fleet.execute("daemon", &json!(null)).await;
    assert_eq!(started["status"], "succeeded", "{}", started["error"]);
    let pid = started["result"].as_i64().unwrap();
    let execution = fleet.execute("hello", &json!(null)).await;
    assert_eq!(execution["result"], json!([]));
    assert_eq!(execution["isolation"]["tier"], 0);
    let layers = execution["isolation"]["layers"].as_array().unwrap();
    assert!(layers.contains(&json!("seccomp")) && !layers.contains(&json!("uid")), "{layers:?}");
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
}

#[test]
fn the_worker_itself_does_so_only_when_told() {
    let (_folder, mut command) = as_nobody("badlambda-worker");
    command
        .env("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q")
        .env("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d")
        .env("BADLAMBDA_BUCKET", "b")
        .env("BADLAMBDA_LISTEN", "127.0.0.1:0");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("BADLAMBDA_ISOLATION=unprivileged"), "{stderr}");
}
