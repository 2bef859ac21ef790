//! Commands on a real terminal: what a person sees, and what a function must not do to him.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use badlambda_tests::addresses::free_address;
use tempfile::TempDir;

use super::{Folder, run};
use crate::fixtures::terminal::{Shown, Terminal};

const COLUMNS: u16 = 100;

impl Folder {
    /// What this command shows on a terminal.
    fn shown(&self, arguments: &[&str]) -> Shown {
        Terminal::start(self.path(), arguments, COLUMNS).end()
    }
}

/// A server of another kind, which answers everything with this.
fn answering(status: &str, media_type: &str, body: &str) -> String {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn why_nothing_can_be_asked_is_one_sentence() {
    let folder = Folder::start(&[("BADLAMBDA_API_TOKEN", "a-token-of-some-length")]);
    let nobody = format!("http://{}", free_address().unwrap());
    let stranger = answering("404 Not Found", "text/html", "<h1>\u{202e}\u{9b}35m</h1>");
    let problem = r#"{"type": "not_found", "title": "Not found", "status": 404, "detail": "there is none"}"#;
    let older = answering("404 Not Found", "application/problem+json", problem);
    for (arguments, status, says) in [
        (&["--url", &nobody, "stats"][..], 3, "does not answer"),
        (&["--token", "wrong-but-long-enough", "stats"], 4, "--token"),
        (&["stats"], 4, "BADLAMBDA_TOKEN"),
        (&["--url", "localhost", "stats"], 2, "is no URL"),
        (&["--url", &stranger, "stats"], 3, "is it the URL of a Bad Lambda API?"),
        (&["--url", &older, "stats"], 3, "older than this command"),
        (&["--url", &older, "functions", "show", "hello"], 3, "older than this command"),
        (&["--url", &older, "api", "GET", "/v1/nothing"], 5, "there is none"),
    ] {
        let shown = folder.shown(arguments);
        assert_eq!(shown.status, status, "{arguments:?}: {shown:?}");
        assert!(
            shown.text.starts_with("badlambda: ") && shown.text.contains(says),
            "{arguments:?}: {shown:?}"
        );
        assert_eq!(shown.text.lines().count(), 1, "{arguments:?}: {shown:?}");
        assert_obeys_nothing(&shown.text);
    }
}

#[test]
fn what_is_given_wrongly_is_told_with_its_place() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("f.rb"), "1").unwrap();
    std::fs::write(folder.path().join("latin.rb"), b"# one\nputs 'caf\xe9'").unwrap();
    std::fs::write(folder.path().join("in.json"), "{\n  \"a\": b\n}").unwrap();
    for (arguments, says) in [
        (&["run", "latin.rb"][..], "latin.rb is not UTF-8: line 2"),
        (&["run", "none.rb"], "could not read none.rb: No such file"),
        (&["run", "f.rb", "{\"a\":\n b}"], "the input is not JSON: expected value at line 2 column 2"),
        (&["dev", "f.rb", "--input", "in.json"], "in.json is not JSON: expected value at line 2 column 8"),
        (
            &["run", "f.rb", "--config", "{"],
            "--config is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (&["run", "f.rb", "--timeout-ms", "0"], "timeout_ms"),
    ] {
        let shown = Terminal::start(folder.path(), arguments, COLUMNS).end();
        assert_eq!(shown.status, 2, "{arguments:?}: {shown:?}");
        assert!(shown.text.contains(says), "{arguments:?}: {shown:?}");
    }
}

/// Nothing is in it that a terminal obeys, but what is our own: styles, and a spinner.
fn assert_obeys_nothing(text: &str) {
    for obeyed in ["\x1b]", "\x1b[35m", "\x1b[999", "\x07", "\x08", "\x7f", "\u{9b}", "\u{202e}"] {
        assert!(!text.contains(obeyed), "{obeyed:?} is in {text:?}");
    }
}

/// What would change a terminal's title, its colours, where it writes, and in which order.
const EVIL: &str = "\x1b]0;owned\x07\x1b[35m\x1b[999;1H\u{9b}35m\x7f\x08\u{202e}";

#[test]
fn functions_can_not_command_a_terminal() {
    let folder = Folder::start(&[]);
    folder.write(
        "evil.rb",
        format!("evil = '{EVIL}'\nputs evil\nraise evil if event['fail']\n{{ evil => evil }}\n"),
    );
    folder.printed(&["functions", "create", "evil", "evil.rb"]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let id = folder.printed(&["invoke", "evil", "{}", "--jq", ".id"]);
    let failed = folder.run(&["invoke", "evil", r#"{"fail": true}"#, "--jq", ".id"]).stdout;
    folder.listed("evil", 2);
    let (id, failed) = (id.trim(), failed.trim());
    for (arguments, status) in [
        (&["invoke", "evil", "--logs"][..], 0),
        (&["invoke", "evil", r#"{"fail": true}"#, "--logs"], 1),
        (&["invoke", "evil", "--json", "result"], 0),
        (&["logs", id], 0),
        (&["logs", id, "--follow"], 0),
        (&["executions", "list"], 0),
        (&["executions", "show", id], 0),
        (&["executions", "show", failed], 0),
        (&["executions", "show", failed, "--jq", ".error.message"], 0),
        (&["executions", "watch", failed], 1),
        (&["functions", "code", "evil"], 0),
        (&["functions", "diff", "hello", "--file", "evil.rb"], 0),
        (&["api", "GET", &format!("/v1/functions/evil/executions/{id}/logs")], 0),
        (&["run", "evil.rb", "--logs"], 0),
        (&["run", "evil.rb", r#"{"fail": true}"#, "--logs"], 1),
        (&["dev", "evil.rb", "--once"], 0),
        (&["dev", "evil.rb", r#"{"fail": true}"#, "--once"], 1),
    ] {
        let shown = folder.shown(arguments);
        assert_eq!(shown.status, status, "{arguments:?}: {shown:?}");
        assert!(
            shown.text.contains("owned")
                || arguments[0] == "functions"
                || status == 3
                || arguments.contains(&"watch"),
            "{arguments:?}: {shown:?}"
        );
        assert_obeys_nothing(&shown.text);
    }
    // A pipe has what the function wrote, byte for byte.
    assert_eq!(folder.printed(&["logs", id]), format!("{EVIL}\n"));
    assert_eq!(
        folder.printed(&["executions", "show", failed, "--jq", ".error.message"]),
        format!("{EVIL}\n")
    );
    assert!(run(folder.command(&["invoke", "evil"]), "").stdout.contains('\u{9b}'));
}

#[test]
fn a_full_disk_and_a_reader_that_left_are_told_by_the_status() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let id = folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#, "--jq", ".id"]);
    let id = id.trim();
    for arguments in [
        &["run", "hello.rb", r#"{"name": "Ada"}"#][..],
        &["dev", "hello.rb", r#"{"name": "Ada"}"#, "--once"],
        &["invoke", "hello", r#"{"name": "Ada"}"#],
        &["functions", "list"],
        &["functions", "code", "hello"],
        &["executions", "show", id, "--jq", ".result"],
        &["executions", "watch", id],
        &["api", "GET", "/openapi.json"],
        &["mcp", "--list-tools"],
    ] {
        let to = |stdout: Stdio, stderr: Stdio| {
            let ended = folder
                .command(arguments)
                .stdin(Stdio::null())
                .stdout(stdout)
                .stderr(stderr)
                .output()
                .unwrap();
            (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
        };
        let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
        let (status, said) = to(full(), Stdio::piped());
        assert_eq!(status, Some(3), "{arguments:?}: {said}");
        assert!(
            said.ends_with("could not write to stdout: No space left on device (os error 28)\n"),
            "{arguments:?}: {said}"
        );
        let left = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            Stdio::from(writer)
        };
        let (status, said) = to(left(), Stdio::piped());
        assert_eq!(status, Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("badlambda: "), "{arguments:?}: {said}");
        // Where nobody hears of it either, the status is the same.
        assert_eq!(to(left(), left()).0, Some(0), "{arguments:?}");
        assert_eq!(to(full(), full()).0, Some(3), "{arguments:?}");
    }
}

#[test]
fn a_map_shows_how_far_it_is_and_what_came_of_it() {
    let folder = Folder::start(&[]);
    folder.write("nap.rb", "sleep 0.5; \"\\e[2J#{event}\"");
    folder.printed(&["functions", "create", "nap", "nap.rb"]);
    folder.write("naps.ndjson", "1\n2\n3\n");
    for columns in [20, COLUMNS] {
        let arguments = ["map", "nap", "naps.ndjson", "--jq", ".result"];
        let shown = Terminal::start(folder.path(), &arguments, columns).end();
        assert_eq!(shown.status, 0, "{shown:?}");
        assert!(shown.text.contains("/3"), "no bar at {columns} columns: {shown:?}");
        for result in ["\\u001b[2J1", "\\u001b[2J2", "\\u001b[2J3"] {
            assert!(shown.text.contains(result), "{result} at {columns} columns: {shown:?}");
        }
    }
}
