//! What a run comes to: results, failures, limits, templates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::{Executor, ExecutorConfig};
use serde_json::{Value, json};

use crate::fixture::{config, handler, result, run, start_in, task};

#[test]
fn a_script_gives_its_last_value() {
    let outcome = run(r#"{ greeting: "Hello, #{event.fetch("name")}!" }"#, json!({}), json!({"name": "Ada"}));
    assert_eq!(result(&outcome), json!({"greeting": "Hello, Ada!"}));
    assert!(outcome.usage.max_rss_bytes > 1 << 20, "{:?}", outcome.usage);
    assert!(outcome.logs.is_empty() && !outcome.logs_truncated);
}

#[test]
fn logs_are_kept_in_order() {
    let outcome = run("puts 'one'; warn 'two'; print 'three'; nil", json!({}), json!(null));
    assert_eq!(String::from_utf8(outcome.logs).unwrap(), "one\ntwo\nthree");
}

#[test]
fn failures_have_their_kind() {
    let cases: &[(&str, Value, ErrorKind)] = &[
        ("raise ArgumentError, 'no'", json!({}), ErrorKind::Exception),
        ("1 +", json!({}), ErrorKind::Syntax),
        ("eval('1 +')", json!({}), ErrorKind::Exception),
        ("exit!", json!({}), ErrorKind::Crash),
        ("abort 'bye'", json!({}), ErrorKind::Crash),
        ("Process.kill(:KILL, $$); sleep", json!({}), ErrorKind::Crash),
        ("loop {}", json!({"timeout_ms": 300}), ErrorKind::Timeout),
        ("sleep", json!({"timeout_ms": 300}), ErrorKind::Timeout),
        ("begin; sleep; ensure; sleep; end", json!({"timeout_ms": 300}), ErrorKind::Timeout),
        ("'x' * (1 << 30)", json!({}), ErrorKind::Memory),
        ("a = []; loop { a << 'x' * 100_000 }", json!({"memory_mb": 64}), ErrorKind::Memory),
        ("loop { puts 'x' * 1000 }", json!({"timeout_ms": 500}), ErrorKind::Timeout),
        ("Float::NAN", json!({}), ErrorKind::ResultNotJson),
        ("\"\\xff\"", json!({}), ErrorKind::ResultNotJson),
        ("a = []; a << a; a", json!({}), ErrorKind::ResultNotJson),
        ("'x' * 1000", json!({"max_result_bytes": 100}), ErrorKind::ResultTooLarge),
        ("loop { fork }", json!({}), ErrorKind::Exception),
        ("loop { fork }", json!({"subprocesses": true, "timeout_ms": 1000}), ErrorKind::Timeout),
        (
            "File.write('big', 'x' * 10_000_000); 1",
            json!({"max_scratch_bytes": 1_000_000}),
            ErrorKind::Scratch,
        ),
        (
            "100.times { |n| File.write(n.to_s, 'x' * 100_000) }; sleep 5",
            json!({"max_scratch_bytes": 1_000_000}),
            ErrorKind::Scratch,
        ),
        ("Thread.main.kill; sleep", json!({}), ErrorKind::Crash),
    ];
    for (code, config, expected) in cases {
        let outcome = run(code, config.clone(), json!(null));
        assert_eq!(
            outcome.result.as_ref().map_err(|error| error.kind),
            Err(*expected),
            "{code}: {outcome:?}"
        );
        let next = run("Dir.children('.')", json!({}), json!(null));
        assert_eq!(result(&next), json!([]), "after {code}");
    }
}

#[test]
fn a_daemon_and_its_files_are_gone_afterwards() {
    let code = "File.write('left', 'x'); fork { Process.setsid; fork { sleep 60 } ; sleep 60 }; Process.uid";
    let outcome = run(code, json!({"subprocesses": true}), json!(null));
    let uid = result(&outcome).as_u64().unwrap();
    if uid == u64::from(nix::unistd::geteuid().as_raw()) {
        return;
    }
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        status.lines().find(|line| line.starts_with("Uid:"))?.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    assert_eq!(left.filter(|owner| *owner == uid).count(), 0);
}

#[test]
fn what_is_refused_says_which_setting_allows_it() {
    for code in ["fork", "`ls`", "spawn('ls')", "system('ls', exception: true)", "IO.popen('ls')"] {
        let outcome = run(code, json!({}), json!(null));
        let message = outcome.result.unwrap_err().message;
        assert!(message.contains("\"subprocesses\": true"), "{code}: {message}");
    }
    let outcome = run("require 'socket'; TCPSocket.new('127.0.0.1', 80)", json!({}), json!(null));
    let message = outcome.result.unwrap_err().message;
    assert!(message.contains("\"network\": true"), "{message}");
}

#[test]
fn many_threads_share_the_executor() {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..25 {
                    let outcome = run("event * 2", json!({}), json!(thread * 1000 + number));
                    assert_eq!(result(&outcome), json!((thread * 1000 + number) * 2));
                }
            });
        }
    });
    let started = Instant::now();
    run("1", json!({}), json!(null));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn in_a_jail_there_is_nothing_but_ruby() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A container has its jail from its image, and no place to make another.
    let jail = std::env::var_os("BADLAMBDA_JAIL").map_or_else(|| make_jail(folder.path()), PathBuf::from);
    let executor = start_in(Some(jail), 1);
    let isolation = executor.isolation();
    let has = |name: &str| isolation.layers.iter().any(|layer| layer == name);
    assert!(has("chroot"), "{isolation:?}");
    assert_eq!(isolation.tier, 1 + u8::from(has("landlock")), "{isolation:?}");
    let code = "require 'csv'; require 'openssl'; [Dir.pwd, File.exist?('/home'), File.exist?('/usr/bin'), File.exist?('/etc/passwd')]";
    let outcome = executor.execute(&task(Form::Script, code, json!({}), json!(null))).unwrap();
    let result = result(&outcome);
    assert!(result[0].as_str().unwrap().starts_with("/scratch/sandbox-"), "{result}");
    assert_eq!(result.as_array().unwrap()[1..], [json!(false), json!(false), json!(false)]);
}

fn make_jail(folder: &Path) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/jail");
    assert!(Command::new(script).arg(folder).status().unwrap().success());
    folder.to_owned()
}

/// Loading them opens what a probe must still find refused.
#[test]
fn libraries_that_are_loaded_before_leave_it_confined() {
    let preload = ["openssl", "socket", "net/http"].map(str::to_owned).to_vec();
    let executor = Executor::start(&ExecutorConfig { preload, ..config() }).unwrap();
    executor.self_test().unwrap();
    let outcome = executor.execute(&task(
        Form::Script,
        "$LOADED_FEATURES.grep(/openssl.so/).size",
        json!({}),
        json!(null),
    ));
    assert_eq!(result(&outcome.unwrap()), json!(1));
}

#[test]
fn a_top_level_may_close_its_streams() {
    let code = "$stdout.close; $stderr.close; def handler(event:, context:) = event";
    let outcome = handler(code, json!(7));
    assert_eq!(result(&outcome), json!(7));
    let code = "STDOUT.close; STDERR.close; def handler(event:, context:) = event";
    assert_eq!(result(&handler(code, json!(8))), json!(8));
}
