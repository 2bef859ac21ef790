//! `badlambda map`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Folder, run};

const INPUTS: &str = "{\"name\": \"Ada\"}\n{}\n{\"name\": \"Grace\"}\n";

fn with_hello() -> Folder {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    folder.write("inputs.ndjson", INPUTS);
    folder
}

#[test]
fn results_come_in_order_and_failures_go_to_their_file() {
    let folder = with_hello();
    let ended = folder.run(&["map", "hello", "inputs.ndjson"]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stderr.contains("1 of 3 inputs failed: exception 1"), "{ended:?}");
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["index"].as_u64(), line["status"].as_str())).collect();
    assert_eq!(told, [(Some(0), Some("succeeded")), (Some(1), Some("failed")), (Some(2), Some("succeeded"))]);

    let ended = folder.run(&[
        "map",
        "hello",
        "inputs.ndjson",
        "--failures",
        "failed.ndjson",
        "--jq",
        ".result.greeting",
    ]);
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "Hello, Ada!\nHello, Grace!\n"), "{ended:?}");
    let failed: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("failed.ndjson")).unwrap()).unwrap();
    assert_eq!((&failed["index"], &failed["error"]["kind"]), (&1.into(), &"exception".into()));

    let stdin = run(folder.command(&["map", "hello", "-", "--json", "index,status"]), "{\"name\": 1}");
    assert_eq!((stdin.status, stdin.stdout.as_str()), (0, "{\"index\":0,\"status\":\"succeeded\"}\n"));
}

#[test]
fn what_is_no_map_is_refused() {
    let folder = with_hello();
    folder.write("bad.ndjson", "1\n{x}\n");
    folder.refused(&["map", "hello", "bad.ndjson"], 2, "line 2 column 2");
    folder.refused(&["map", "hello", "nowhere.ndjson"], 2, "could not read nowhere.ndjson");
    folder.refused(&["map", "hello", "."], 2, "is a folder");
    folder.refused(&["map", "helo", "inputs.ndjson"], 5, "did you mean hello?");
    folder.refused(&["map", "hello", "inputs.ndjson", "--chunk", "0"], 2, "chunk");
    folder.refused(&["map", "hello"], 2, "<INPUTS>");
    folder.refused(&["map", "hello", "--resume", "7ybq9m47a9bx68tm6t2nxd0t038t4ab"], 5, "no such map");
    folder.refused(&["map", "hello.rb", "inputs.ndjson", "--detach"], 2, "--detach");
}

#[test]
fn a_file_is_mapped_here() {
    let folder = with_hello();
    let ended = folder.run(&["map", "./hello.rb", "inputs.ndjson", "--failures", "failed.ndjson"]);
    assert_eq!((ended.status, ended.stdout.lines().count()), (1, 2), "{ended:?}");
}

#[test]
fn what_was_interrupted_is_gone_on_with() {
    let folder = with_hello();
    folder.write("slow.rb", "sleep event; event");
    folder.printed(&["functions", "create", "slow", "slow.rb"]);
    folder.write("slow.ndjson", "0\n0\n8\n1\n");
    let mut command = folder.command(&["map", "slow", "slow.ndjson", "--jq", ".result"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Vec<String> = lines.by_ref().take(2).map(Result::unwrap).collect();
    assert_eq!(first, ["0", "0"]);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    let resume = stderr.split('`').nth(1).unwrap().to_owned();
    let resume: Vec<&str> = resume.split(' ').skip(1).chain(["--jq", ".result"]).collect();
    assert!(resume.contains(&"--from") && resume.contains(&"2"), "{resume:?}");
    assert_eq!(folder.printed(&resume), "8\n1\n");
}

#[test]
fn a_map_may_be_left_alone() {
    let folder = with_hello();
    folder.write("inputs.ndjson", "{\"name\": 1}\n{\"name\": 2}\n");
    let id = folder.printed(&["map", "hello", "inputs.ndjson", "--detach"]);
    let rest = folder.printed(&["map", "hello", "--resume", id.trim(), "--from", "1", "--jq", ".index"]);
    assert_eq!(rest, "1\n");
}
