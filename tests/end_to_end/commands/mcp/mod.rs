//! `badlambda mcp`, spoken to by the Python SDK's client, which tests/run installs, and line by line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Folder, run};
use crate::fixtures::fleet::{program, programs, repository};
use crate::fixtures::remains::Remains;

/// Makes calls of a server's tools, in a session of the Python client, and returns what was said.
fn session(folder: &Folder, arguments: &[&str], calls: Value) -> Value {
    let mut python = Command::new(repository().join("target/python/bin/python"));
    python.arg(repository().join("tests/end_to_end/commands/mcp/with_python.py"));
    python.arg(programs().join("badlambda")).arg("mcp").args(arguments).current_dir(folder.path());
    let ended = run(python, &calls.to_string());
    assert_eq!(ended.status, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A tool's answer, which must be the same as text and as JSON.
fn value(answer: &Value) -> Value {
    let text = answer["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value, answer["structuredContent"]);
    value
}

#[test]
fn each_tool_does_what_it_says() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    fs::create_dir(folder.path().join("zipped")).unwrap();
    folder.write("zipped/function.rb", "def handler(event:, context:) = 1");
    folder.write("zipped/data.bin", b"\xff");
    folder.printed(&["functions", "create", "zipped", "zipped"]);
    let id = folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#, "--jq", ".id"]);
    folder.listed("hello", 1);
    let said = session(
        &folder,
        &[],
        json!([
            ["run_ruby", {"code": "puts 'one'; event.sum", "input": [1, 2], "config": {"timeout_ms": 9000}}],
            ["list_functions", {}],
            ["show_function", {"function": "hello"}],
            ["invoke_function", {"function": "hello", "input": {"name": "Zoë"}}],
            ["get_execution", {"execution": id.trim()}],
            ["list_executions", {"function": "hello", "limit": 1}],
            ["get_logs", {"execution": id.trim()}],
            ["show_function", {"function": "zipped"}],
        ]),
    );
    assert_eq!(said["server"]["serverInfo"]["name"], "badlambda");
    let answers: Vec<Value> = said["answers"].as_array().unwrap().iter().map(value).collect();
    assert!(said["answers"].as_array().unwrap().iter().all(|answer| answer["isError"] == false), "{said}");
    assert_eq!((&answers[0]["result"], &answers[0]["logs"]), (&json!(3), &json!("one\n")));
    assert!(answers[0]["usage"]["wall_ms"].is_number());
    assert_eq!(answers[1]["functions"][0]["name"], "hello");
    assert_eq!(answers[2]["config"]["timeout_ms"], 30_000);
    assert!(answers[2]["code"].as_str().unwrap().contains("Hello, #{event.fetch(\"name\")}!"));
    assert_eq!(answers[3]["result"]["greeting"], "Hello, Zoë!");
    assert_eq!(answers[4]["result"]["greeting"], "Hello, Ada!");
    assert_eq!(answers[5]["executions"].as_array().unwrap().len(), 1);
    assert_eq!(answers[6], json!({"logs": "", "bytes": 0, "next_offset": null}));
    let zipped = &answers[7];
    assert_eq!(zipped["code"], "def handler(event:, context:) = 1");
    assert_eq!(
        (&zipped["code_file"], &zipped["files"]),
        (&json!("function.rb"), &json!(["data.bin", "function.rb"]))
    );
}

#[test]
fn a_failure_is_a_result_and_no_end_of_the_session() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let said = session(
        &folder,
        &[],
        json!([
            ["run_ruby", {"code": "def deep = raise(KeyError, 'no such order')\ndeep"}],
            ["run_ruby", {"code": "sleep", "config": {"timeout_ms": 50}}],
            ["run_ruby", {"code": "x = = 1"}],
            ["run_ruby", {"code": "1", "config": {"timeout": 1}}],
            ["invoke_function", {"function": "helo"}],
            ["get_execution", {"execution": "nothing/like it"}],
            ["run_ruby", {}],
            ["run_ruby", {"code": "sleep", "wait_seconds": 0, "config": {"timeout_ms": 500}}],
            ["no_such_tool", {}],
            ["run_ruby", {"code": "'still here'"}],
        ]),
    );
    let answers = said["answers"].as_array().unwrap();
    let error = value(&answers[0])["error"].clone();
    assert_eq!((&error["type"], &error["message"]), (&json!("KeyError"), &json!("no such order")));
    assert!(error["backtrace"][1].as_str().unwrap().starts_with("function.rb:2:"), "{error}");
    assert_eq!(value(&answers[1])["error"]["kind"], "timeout");
    for (number, says) in
        [(2, "line 1, column"), (3, "timeout"), (4, "did you mean hello?"), (5, "letters, digits")]
    {
        let error = value(&answers[number])["error"].clone();
        assert!(error.as_str().is_some_and(|error| error.contains(says)), "{error} does not say {says}");
    }
    assert!(answers[6].to_string().contains("code"), "{}", answers[6]);
    assert!(answers[..7].iter().all(|answer| answer["isError"] == true), "{said}");
    // What goes on is no failure.
    assert_eq!((&answers[7]["isError"], &value(&answers[7])["status"]), (&json!(false), &json!("queued")));
    assert_eq!(answers[8]["refused"], -32602);
    assert_eq!(value(&answers[9])["result"], "still here");
}

#[test]
fn what_only_reads_is_offered_alone() {
    let folder = Folder::start(&[]);
    let all = session(&folder, &[], json!([]));
    let only_reads = |tool: &&Value| tool["annotations"]["readOnlyHint"] == true;
    let names = |tools: Vec<&Value>| tools.iter().map(|tool| tool["name"].clone()).collect::<Vec<_>>();
    let all = all["tools"].as_array().unwrap();
    let reading = names(all.iter().filter(only_reads).collect());
    assert_eq!((all.len(), reading.len()), (7, 5));
    let said =
        session(&folder, &["--read-only"], json!([["run_ruby", {"code": "1"}], ["list_functions", {}]]));
    assert_eq!(names(said["tools"].as_array().unwrap().iter().collect()), reading);
    assert_eq!(said["answers"][0]["refused"], -32602);
    assert_eq!(value(&said["answers"][1]), json!({"functions": []}));
    // Each number says what it may be, and every field what it is.
    for tool in all {
        for (name, field) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(field["description"].is_string(), "{name} of {tool}");
            assert!(
                field["type"] != "integer" || name == "offset" || field["maximum"].is_number(),
                "{name} of {tool}"
            );
        }
    }
}

#[test]
fn nothing_but_the_protocol_is_on_stdout_and_nothing_stays() {
    let mut command = program("badlambda");
    command.args(["mcp", "--local"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut remains = Remains::of(&mut command);
    let mut server = command.spawn().unwrap();
    let (mut stdin, mut lines) =
        (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
    let mut ask = |request: Value| {
        writeln!(stdin, "{request}").unwrap();
        let mut line = vec![];
        lines.read_until(b'\n', &mut line).unwrap();
        assert_eq!(line.pop(), Some(b'\n'));
        assert!(!line.iter().any(u8::is_ascii_control), "{}", String::from_utf8_lossy(&line));
        let answer: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &request["id"]));
        answer["result"].clone()
    };
    let client = json!({"name": "test", "version": "1"});
    let started = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    ask(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": started}));
    let mut run = |id: u32, code: &str| {
        let call = json!({"name": "run_ruby", "arguments": {"code": code}});
        value(&ask(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call})))
    };
    let large = run(2, "puts \"\\e[2J\\x9b\\u202e\" * 200_000; 'x' * (1 << 20)");
    assert_eq!(large["result_bytes"], (1 << 20) + 2);
    assert_eq!(large["result_beginning"].as_str().unwrap().len(), 64 * 1024);
    let logs = large["logs"].as_str().unwrap();
    assert!(logs.len() <= 16 * 1024 && logs.starts_with("\u{1b}[2J\u{fffd}\u{202e}"), "{logs:?}");
    let hostile = run(3, "$stderr.write \"\\r\\0\\n{}\\n\"; \"\\u0007\\u009b31m\"");
    assert_eq!((&hostile["result"], &hostile["logs"]), (&json!("\u{7}\u{9b}31m"), &json!("\r\0\n{}\n")));
    remains.note_processes(server.id());
    drop(stdin);
    let mut line = String::new();
    assert_eq!(lines.read_line(&mut line).unwrap(), 0, "{line}");
    assert!(server.wait().unwrap().success());
    remains.assert_none();
}
