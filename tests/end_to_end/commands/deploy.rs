//! `deploy`.

use std::fs;

use serde_json::{Value, json};

use super::Folder;

const SETTINGS: &str = r#"
[functions.greet]
file = "hello.rb"
aliases = ["live"]
timeout_ms = 1000
[functions.greet.environment]
GREETING = "Hi"
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_folder_is_deployed_and_only_what_changes_is_published() {
    let folder = Folder::start(&[]);
    folder.write("two.rb", "2");
    folder.write("badlambda.toml", SETTINGS);
    fs::create_dir(folder.path().join("lib")).unwrap();

    let would = folder.printed(&["deploy", ".", "--dry-run"]);
    assert!(would.starts_with("--- /dev/null (code)\n+++ hello.rb (code)\n@@"), "{would}");
    assert!(would.contains("\n+  \"timeout_ms\": 1000,\n"), "{would}");
    assert!(would.ends_with("\ngreet\tcreated\t1\tlive\thello.rb\ntwo\tcreated\t1\t\ttwo.rb\n"), "{would}");
    assert_eq!(folder.printed(&["functions", "list"]), "");

    let ended = folder.run(&["deploy", "."]);
    let created = "greet\tcreated\t1\tlive\thello.rb\ntwo\tcreated\t1\t\ttwo.rb\n";
    assert_eq!((ended.status, ended.stdout.as_str()), (0, created));
    assert_eq!(ended.stderr, "lib is a folder without a function.rb, and is left out\n");
    let greet = json(&folder.printed(&["functions", "show", "greet", "--json", "aliases,config"]));
    assert_eq!(greet["aliases"], json!({"live": 1}));
    assert_eq!((&greet["config"]["timeout_ms"], &greet["config"]["retries"]), (&json!(1000), &json!(0)));
    assert_eq!(greet["config"]["environment"], json!({"GREETING": "Hi"}));

    let again = "greet\tunchanged\t1\t\thello.rb\ntwo\tunchanged\t1\t\ttwo.rb\n";
    assert_eq!(folder.printed(&["deploy", "."]), again);

    folder.write("two.rb", "3");
    let changes = ["deploy", ".", "--dry-run", "--jq", ".[] | select(.change == \"updated\") | .diff"];
    let diff = "--- two 1 (code)\n+++ two.rb (code)\n@@ -1 +1 @@\n-2\n\\ No newline at end of file\n+3\n\\ No newline at end of file\n\n";
    assert_eq!(folder.printed(&changes), diff);
    let deployed = json(&folder.printed(&["deploy", ".", "--json", "name,change,version,moved_aliases"]));
    let expected = json!([
        {"name": "greet", "change": "unchanged", "version": 1, "moved_aliases": []},
        {"name": "two", "change": "updated", "version": 2, "moved_aliases": []},
    ]);
    assert_eq!(deployed, expected);

    // What others did by hand is undone: an alias that was moved, a share that was given, another config.
    folder.printed(&["functions", "update", "greet", "--config", r#"{"retries": 1}"#]);
    folder.printed(&["functions", "alias", "greet", "live", "1", "--weight", "2=0.5"]);
    assert_eq!(folder.printed(&["deploy", "hello.rb"]), "greet\tupdated\t3\tlive\thello.rb\n");
    folder.printed(&["functions", "alias", "greet", "live", "3", "--weight", "2=0.5"]);
    assert_eq!(folder.printed(&["deploy", "hello.rb"]), "greet\tunchanged\t3\tlive\thello.rb\n");
    assert_eq!(folder.printed(&["functions", "show", "greet", "--jq", ".aliases"]), "{\"live\":3}\n");
}

#[test]
fn nothing_is_deployed_where_one_function_can_not_be() {
    let folder = Folder::start(&[]);
    folder.write("broken.rb", "x = = 2");
    folder.write("worse.rb", "def");
    let ended = folder.run(&["deploy", "."]);
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""), "{ended:?}");
    for says in ["badlambda: broken.rb: ", "\nworse.rb: ", "line 1", "\nnothing was deployed\n"] {
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
    assert_eq!(folder.printed(&["functions", "list"]), "");
}

#[test]
fn which_functions_are_meant_is_told_or_asked() {
    let folder = Folder::start(&[]);
    folder.write("my file.rb", "1");
    assert_eq!(
        folder.printed(&["deploy", "my file.rb", "--name", "mine"]),
        "mine\tcreated\t1\t\tmy file.rb\n"
    );
    folder.refused(&["deploy", "my file.rb"], 2, "name it with --name, or with `file` in badlambda.toml");
    folder.refused(&["deploy", "hello.rb", "my file.rb", "--name", "a"], 2, "--name is for one file");
    folder.refused(&["deploy", "none.rb"], 2, "could not read none.rb");
    fs::create_dir(folder.path().join("empty")).unwrap();
    folder.refused(&["deploy", "empty"], 2, "there is no Ruby file in empty");
    folder.write("empty/hello.rb", "1");
    folder.refused(
        &["deploy", "hello.rb", "empty"],
        2,
        "hello.rb and empty/hello.rb are both the function hello",
    );
    for (settings, says) in [
        ("[functions.helo]\n", "[functions.helo], and there is no file helo.rb; did you mean hello.rb?"),
        ("[functions.hello]\nretires = 1", "there is no field retires; did you mean retries?"),
        ("[functions.hello]\nretries = 99", "retries"),
        ("[functions.a]\nfile = \"hello.rb\"\n[functions.hello]\nfile = \"x.rb\"", "there is no file x.rb"),
    ] {
        folder.write("empty/badlambda.toml", settings);
        folder.refused(&["deploy", "empty"], 2, says);
    }
    folder.write("badlambda.toml", "[functions.hello]\nfile = \"empty/hello.rb\"\n");
    folder.refused(&["deploy", "hello.rb"], 2, "hello is made of empty/hello.rb");
}
