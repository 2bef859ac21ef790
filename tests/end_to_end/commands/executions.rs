//! `invoke`, `executions` and `logs`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Folder, run};

#[test]
fn an_execution_is_invoked_watched_and_repeated() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let greeting = "{\"greeting\":\"Hello, Ada!\"}\n";
    assert_eq!(folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#]), greeting);
    let ended = run(folder.command(&["invoke", "hello", "-"]), r#"{"name": "Ada"}"#);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, greeting), "{ended:?}");

    let id = folder.printed(&["invoke", "hello", r#"{"name": "Zoë"}"#, "--detach"]);
    let id = id.trim();
    let watched = folder.printed(&["executions", "watch", id, "--json", "status"]);
    assert_eq!(watched.lines().last(), Some(r#"{"status":"succeeded"}"#), "{watched}");
    // A function and an id, or a URL, name it as well.
    let url = format!("/v1/functions/hello/executions/{id}");
    for execution in [id, &format!("hello/{id}"), &url] {
        assert_eq!(
            folder.printed(&["executions", "show", execution, "--jq", ".result.greeting"]),
            "Hello, Zoë!\n"
        );
    }
    assert!(folder.printed(&["executions", "show", id]).contains("\nstatus\tsucceeded\n"));
    let again = ["executions", "replay", id, "--jq", "[.replay_of, .result.greeting] | join(\" \")"];
    assert_eq!(folder.printed(&again), format!("{id} Hello, Zoë!\n"));
    let other = folder.printed(&["executions", "replay", id, r#"{"name": "Eve"}"#]);
    assert_eq!(other, "{\"greeting\":\"Hello, Eve!\"}\n");
    assert_eq!(folder.printed(&["executions", "list", "--limit", "1", "--status", "failed"]), "");
}

#[test]
fn a_function_that_fails_is_told_by_the_status() {
    let folder = Folder::start(&[]);
    folder.write("fail.rb", "puts 'one'\nwarn 'two'\nraise KeyError, 'no such order'");
    folder.printed(&["functions", "create", "fail", "fail.rb"]);
    folder.refused(&["invoke", "fail"], 1, "KeyError: no such order\n  function.rb:3");
    folder.refused(&["invoke", "fail", "--logs"], 1, "one\ntwo\n");
    let id = folder.printed(&["invoke", "fail", "--detach"]);
    let id = id.trim();
    assert_eq!(folder.printed(&["logs", id, "--follow"]), "one\ntwo\n");
    assert_eq!(folder.printed(&["logs", id]), "one\ntwo\n");
    let watched = folder.run(&["executions", "watch", id]);
    assert_eq!((watched.status, watched.stdout.lines().last()), (1, Some("failed")), "{watched:?}");
}

#[test]
fn what_has_not_begun_is_cancelled_and_an_interrupt_ends_a_watch() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let id = folder.printed(&["invoke", "hello", "--delay", "900", "--detach"]);
    let id = id.trim();
    let mut watch = folder.command(&["executions", "watch", id]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("queued"));
    kill(Pid::from_raw(watch.id() as i32), Signal::SIGINT).unwrap();
    let ended = watch.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(130), &b"badlambda: interrupted\n"[..]));

    folder.printed(&["executions", "cancel", id]);
    let watched = folder.run(&["executions", "watch", id]);
    assert_eq!((watched.status, watched.stdout.as_str()), (1, "cancelled\n"), "{watched:?}");
    let done = folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#, "--jq", ".id"]);
    folder.refused(&["executions", "cancel", done.trim()], 2, "has finished");
}

#[test]
fn what_can_not_be_found_or_taken_is_told_with_its_status() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let forged = "0".repeat(31);
    for (arguments, status, says) in [
        (&["invoke", "helo"][..], 5, "did you mean hello?"),
        (
            &["invoke", "hello", "{\"name\":\n Ada}"],
            2,
            "the input is not JSON: expected value at line 2 column 2",
        ),
        (&["invoke", "hello", "--version", "7"], 5, "7"),
        (&["invoke", "hello", "--delay", "901"], 2, "delay"),
        (&["executions", "show", "hello/order-7"], 5, ""),
        (&["executions", "show", "order-7"], 2, "FUNCTION/order-7"),
        (&["executions", "show", &forged], 5, "no function that there is"),
        (&["executions", "show", "hello/no id"], 2, "letters, digits"),
        (&["executions", "list", "--since", "yesterday"], 2, "since"),
        (&["logs", "hello/order-7"], 5, ""),
    ] {
        folder.refused(arguments, status, says);
    }
}
