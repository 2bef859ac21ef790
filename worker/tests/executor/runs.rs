//! What a run comes to: results, failures, limits, templates.

use std::time::{Duration, Instant};

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::{Executor, ExecutorConfig};
use serde_json::{Value, json};

use crate::fixture::{config, handler, result, run, task};

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
        ("loop { fork }", json!({"subprocesses": true, "timeout_ms": 5000}), ErrorKind::Crash),
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
fn system_says_why_it_does_nothing() {
    let code = "[system('ls'), $?.exitstatus, Kernel.system('ls', '-l'), $?.success?]";
    let outcome = run(code, json!({}), json!(null));
    assert_eq!(result(&outcome), json!([null, 127, null, false]));
    let logs = String::from_utf8(outcome.logs).unwrap();
    assert_eq!(
        logs.matches("system: a function may start processes only with \"subprocesses\": true").count(),
        2
    );
    let outcome = run("system('no-such-program'); $?.exitstatus", json!({"subprocesses": true}), json!(null));
    assert_eq!((result(&outcome), outcome.logs), (json!(127), vec![]));
}

#[test]
fn a_write_outside_of_scratch_says_where_to_write() {
    for code in ["File.write('/tmp/x', 1)", "Dir.mkdir('/tmp/x')", "File.open('/tmp/x/y', 'w')"] {
        let outcome = run(code, json!({}), json!(null));
        let message = outcome.result.unwrap_err().message;
        assert!(message.contains("use Dir.tmpdir"), "{code}: {message}");
    }
    let outcome = run("require 'tmpdir'; File.write(\"#{Dir.tmpdir}/x\", 'abc')", json!({}), json!(null));
    assert_eq!(result(&outcome), json!(3));
}

#[test]
fn what_a_file_does_when_it_is_run_is_not_done_when_it_is_loaded() {
    let code = "RUN = __FILE__ == $0\ndef handler(event:, context:) = [RUN, __FILE__]";
    assert_eq!(result(&handler(code, json!(null))), json!([false, "function.rb"]));
}

#[test]
fn an_uncaught_error_in_a_forked_child_shows_frames_of_its_own_alone() {
    let code = "def broken = raise(ArgumentError, 'in a child')\nProcess.wait(fork { broken })\n\
                Process.wait(Process.fork { begin; broken; rescue => e; raise 'another'; end })\n\
                pid = fork\nraise 'at the end' unless pid\nProcess.wait(pid)\n1";
    let outcome = run(code, json!({"subprocesses": true}), json!(null));
    assert_eq!(result(&outcome), json!(1));
    let logs = String::from_utf8(outcome.logs).unwrap();
    let told = ["in a child (ArgumentError)", "another (RuntimeError)", "at the end (RuntimeError)"];
    assert!(told.iter().all(|text| logs.contains(text)) && !logs.contains("-e:"), "{logs}");
}

/// As on a file system that has none.
#[test]
#[cfg(target_arch = "x86_64")]
fn files_have_no_attributes() {
    let calls = "[188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199]";
    let code = format!("{calls}.map {{ |n| syscall(n, 'x', 'user.x', 0, 0, 0) rescue $!.errno }}.uniq");
    assert_eq!(result(&run(&code, json!({}), json!(null))), json!([nix::libc::EOPNOTSUPP]));
}

#[test]
fn more_processes_than_allowed_end_the_execution() {
    let code = "6.times { fork { sleep } }; sleep";
    let config = json!({"subprocesses": true, "max_processes": 4, "timeout_ms": 5000});
    let outcome = run(code, config, json!(null));
    let error = outcome.result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Crash, "{error:?}");
    assert!(error.message.contains("config.max_processes, 4"), "{}", error.message);
}

/// Only in a jail, where no service's socket is.
#[test]
fn with_the_network_there_are_unix_sockets_in_scratch() {
    let executor = Executor::start(&ExecutorConfig { network: true, ..config() }).unwrap();
    let code = "require 'socket'; server = UNIXServer.new('s'); client = UNIXSocket.new('s'); client << 'hi'; client.close; \
                a, b = UNIXSocket.pair; a << 'pair'; a.close; \
                [server.accept.read, b.read, (Socket.new(:UNIX, :DGRAM) rescue 0), (b.recv_io rescue 0)]";
    let task = task(Form::Script, code, json!({"network": true}), json!(null));
    let outcome = executor.execute(&task).unwrap();
    if std::env::var_os("BADLAMBDA_JAIL").is_some() {
        assert_eq!(result(&outcome), json!(["hi", "pair", 0, 0]));
    } else {
        let class = outcome.result.unwrap_err().class;
        assert!(
            ["Errno::ENOSYS", "Errno::EPERM"].map(|name| Some(name.to_owned())).contains(&class),
            "{class:?}"
        );
    }
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
fn a_library_that_waits_fails_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("waits.rb");
    std::fs::write(&library, "sleep").unwrap();
    let preload = vec![library.display().to_string()];
    let start_patience = Duration::from_secs(2);
    let started = Executor::start(&ExecutorConfig { preload, start_patience, ..config() });
    let error = started.unwrap_err().to_string();
    assert!(error.contains("not ready after 2 s") && error.contains("BADLAMBDA_PRELOAD"), "{error}");
}

#[test]
fn a_top_level_may_close_its_streams() {
    let code = "$stdout.close; $stderr.close; def handler(event:, context:) = event";
    let outcome = handler(code, json!(7));
    assert_eq!(result(&outcome), json!(7));
    let code = "STDOUT.close; STDERR.close; def handler(event:, context:) = event";
    assert_eq!(result(&handler(code, json!(8))), json!(8));
}
