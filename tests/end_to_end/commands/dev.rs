//! `badlambda dev`: a run for each save, of what was saved last.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Folder, run};
use crate::fixtures::fleet::program;
use crate::fixtures::remains::Remains;

/// A `dev` that runs, and its lines.
struct Dev {
    child: Child,
    lines: BufReader<ChildStdout>,
    folder: TempDir,
    remains: Remains,
}

impl Dev {
    fn start(code: &str, arguments: &[&str], files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("f.rb"), code).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self::start_in(folder, "f.rb", arguments)
    }

    fn start_in(folder: TempDir, code: &str, arguments: &[&str]) -> Self {
        let mut command = program("badlambda");
        command.args(["dev", code]).args(arguments).current_dir(folder.path());
        let remains = Remains::of(&mut command);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines, folder, remains }
    }

    /// The next run.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Ends it as Ctrl-C does. There must be no run more, and nothing left behind.
    fn interrupt(mut self) {
        self.remains.note_processes(self.child.id());
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT).unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert_eq!(line, "", "there was one run too many");
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
        self.remains.assert_none();
    }
}

#[test]
fn each_way_to_save_is_one_run_of_the_last_content() {
    let mut dev = Dev::start("event['n']", &[r#"{"n": 1}"#], &[]);
    let first = dev.next();
    assert_eq!(
        (&first["cause"], &first["status"], &first["result"]),
        (&json!("start"), &json!("succeeded"), &json!(1))
    );
    assert_eq!(first["diff"], Value::Null);
    let (file, other) = (dev.path("f.rb"), dev.path("f.rb.new"));
    let ways: [&dyn Fn(&str); 4] = [
        // In place.
        &|code| fs::write(&file, code).unwrap(),
        // Another file comes to its place.
        &|code| {
            fs::write(&other, code).unwrap();
            fs::rename(&other, &file).unwrap();
        },
        // It becomes the backup first.
        &|code| {
            fs::rename(&file, &other).unwrap();
            fs::write(&file, code).unwrap();
        },
        // It is emptied first, and saved twice.
        &|code| {
            fs::write(&file, "").unwrap();
            fs::write(&file, "1 +").unwrap();
            fs::write(&file, code).unwrap();
        },
    ];
    for (number, save) in ways.into_iter().enumerate() {
        save(&format!("puts 'logged'; {{ n: event['n'] + {number} }}"));
        let run = dev.next();
        assert_eq!((&run["cause"], &run["result"]), (&json!("code"), &json!({"n": 1 + number})), "{run}");
        assert_eq!((&run["logs"], &run["run"]), (&json!("logged\n"), &json!(number + 2)), "{run}");
        let added = format!("+  \"n\": {}\n", 1 + number);
        assert!(run["diff"].as_str().unwrap().contains(&added), "{run}");
    }
    dev.interrupt();
}

#[test]
fn an_input_file_runs_it_again_and_what_is_wrong_is_told_and_waited_for() {
    let mut dev = Dev::start(
        "event['n'].fetch(0)",
        &["--input", "in.json", "--timeout-ms", "5000"],
        &[("in.json", r#"{"n": [1]}"#)],
    );
    assert_eq!(dev.next()["result"], 1);
    fs::write(dev.path("in.json"), r#"{"n": [2]}"#).unwrap();
    let run = dev.next();
    assert_eq!((&run["cause"], &run["result"]), (&json!("input"), &json!(2)));
    fs::write(dev.path("in.json"), "{\n n}").unwrap();
    let run = dev.next();
    assert_eq!((&run["status"], &run["error"]["kind"]), (&json!("failed"), &json!("refused")));
    assert!(run["error"]["message"].as_str().unwrap().starts_with("in.json is not JSON: "), "{run}");
    fs::write(dev.path("in.json"), r#"{"n": []}"#).unwrap();
    assert_eq!(dev.next()["error"]["type"], "IndexError");
    fs::write(dev.path("f.rb"), "a = 1\nb = = 2\n").unwrap();
    let run = dev.next();
    assert_eq!(run["error"]["kind"], "syntax");
    let message = run["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("f.rb:2:") && message.contains("\n2 | b = = 2\n"), "{message}");
    fs::write(dev.path("f.rb"), b"\xff").unwrap();
    assert!(dev.next()["error"]["message"].as_str().unwrap().contains("is not UTF-8"));
    fs::write(dev.path("f.rb"), "context.get_remaining_time_in_millis <= 5000").unwrap();
    assert_eq!(dev.next()["result"], true);
    dev.interrupt();
}

#[test]
fn a_folder_runs_again_when_a_file_in_it_is_saved() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("app/lib")).unwrap();
    let code = "require_relative 'lib/answer'\ndef handler(event:, context:) = ANSWER\n";
    fs::write(path("app/function.rb"), code).unwrap();
    fs::write(path("app/lib/answer.rb"), "ANSWER = 1").unwrap();
    let mut dev = Dev::start_in(folder, "app", &[]);
    assert_eq!(dev.next()["result"], 1);
    fs::write(dev.path("app/.hidden"), "").unwrap();
    fs::write(dev.path("app/lib/answer.rb"), "ANSWER = 2").unwrap();
    let run = dev.next();
    assert_eq!((&run["run"], &run["cause"], &run["result"]), (&json!(2), &json!("code"), &json!(2)), "{run}");
    fs::write(dev.path("app/function.rb"), "a = = 1").unwrap();
    let message = &dev.next()["error"]["message"];
    assert!(message.as_str().unwrap().starts_with("app/function.rb:1:3: "), "{message}");
    dev.interrupt();
}

#[test]
fn an_interrupt_ends_a_run_too() {
    let mut dev = Dev::start("1", &[], &[]);
    dev.next();
    fs::write(dev.path("f.rb"), "File.write('begun', ''); sleep").unwrap();
    dev.remains.wait_until_begun();
    dev.interrupt();
}

#[test]
fn it_runs_with_the_last_inputs_of_a_function() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    for name in ["Ada", "Zoë", "Ada"] {
        let input = json!({"name": name}).to_string();
        let id = folder.printed(&["invoke", "hello", &input, "--detach"]);
        folder.printed(&["executions", "watch", id.trim()]);
    }
    folder.listed("hello", 3);
    folder.write("other.rb", "event['name'].length");
    let printed = folder.printed(&["dev", "other.rb", "--replay", "hello", "--once"]);
    let runs: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(runs.len(), 2, "{printed}");
    assert!(runs.iter().all(|run| run["result"] == 3 && run["replay_of"].is_string()), "{printed}");
    // Nothing of it is in the deployment.
    assert_eq!(folder.printed(&["functions", "list", "--jq", ".[].name"]), "hello\n");
    folder.listed("hello", 3);
    folder.refused(&["dev", "other.rb", "--replay", "helo"], 5, "did you mean hello?");
    folder.printed(&["functions", "create", "other", "other.rb"]);
    folder.refused(&["dev", "other.rb", "--replay", "other"], 5, "give one with --input");
}

#[test]
fn once_ends_with_the_status_of_the_run() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("f.rb"), "raise 'no'").unwrap();
    for (arguments, status, says) in [
        (&["f.rb", "--once"][..], 1, ""),
        (&["none.rb"], 2, "could not read none.rb"),
        (&["f.rb", "{"], 2, "is not JSON"),
        (&["f.rb", "--input", "none.json"], 2, "none.json is no file, and is not JSON"),
        (&["-"], 2, "stdin is none"),
    ] {
        let mut command = program("badlambda");
        command.arg("dev").args(arguments).current_dir(folder.path());
        let ended = run(command, "");
        assert_eq!(ended.status, status, "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{arguments:?}: {ended:?}");
    }
}
