//! `functions`, `api`, and what is printed of an answer.

use serde_json::{Value, json};

use super::Folder;

#[test]
fn functions_are_created_changed_looked_at_and_deleted() {
    let folder = Folder::start(&[]);
    let created = folder.printed(&[
        "functions",
        "create",
        "hello",
        "hello.rb",
        "--config",
        r#"{"retries": 1}"#,
        "--retries",
        "2",
        "--env",
        "A=1",
    ]);
    assert!(created.starts_with("hello\t1\tscript\t"), "{created:?}");
    assert_eq!(
        folder.printed(&["functions", "list", "--json", "version,name"]),
        "[{\"version\":1,\"name\":\"hello\"}]\n"
    );
    assert_eq!(folder.printed(&["functions", "list", "--jq", ".[].name"]), "hello\n");
    assert!(folder.printed(&["functions", "list", "--json"]).lines().any(|field| field == "code_sha256"));

    // What is not given stays: the code here, the config there.
    let shown = |fields| {
        let shown = folder.printed(&["functions", "show", "hello", "--json", fields]);
        serde_json::from_str::<Value>(&shown).unwrap()
    };
    let config = r#"{"timeout_ms": 1000}"#;
    folder.printed(&["functions", "update", "hello", "--config", config, "--dry-run"]);
    assert_eq!(shown("version"), json!({"version": 1}));
    folder.printed(&["functions", "update", "hello", "--config", config]);
    folder.write("two.rb", "2");
    folder.printed(&["functions", "update", "hello", "two.rb", "--env", "B=2", "--network=false"]);
    let function = shown("version,config");
    assert_eq!((&function["version"], &function["config"]["retries"]), (&json!(3), &json!(2)));
    assert_eq!(function["config"]["timeout_ms"], 1000);
    assert_eq!(function["config"]["environment"], json!({"A": "1", "B": "2"}));
    assert_eq!(folder.printed(&["functions", "code", "hello"]), "2");
    let first = std::fs::read_to_string(folder.path().join("hello.rb")).unwrap();
    assert_eq!(folder.printed(&["functions", "code", "hello", "--version", "2"]), first);
    assert_eq!(
        folder.printed(&[
            "functions",
            "versions",
            "hello",
            "--limit",
            "2",
            "--jq",
            "map(.version | tostring) | join(\",\")"
        ]),
        "3,2\n"
    );

    let diff = folder.printed(&["functions", "diff", "hello", "2"]);
    assert!(
        diff.starts_with("--- hello 2 (code)\n+++ hello 3 (code)\n") && diff.contains("\n+2\n"),
        "{diff}"
    );
    let diff = folder.printed(&["functions", "diff", "hello", "1", "2"]);
    assert!(diff.contains("\n+  \"timeout_ms\": 1000,\n") && !diff.contains("(code)"), "{diff}");
    assert_eq!(folder.printed(&["functions", "diff", "hello", "--file", "two.rb"]), "");

    folder.printed(&["functions", "alias", "hello", "live", "2", "--weight", "3=0.25"]);
    assert_eq!(shown("aliases"), json!({"aliases": {"live": {"version": 2, "weights": {"3": 0.25}}}}));
    folder.printed(&["functions", "alias", "hello", "live", "--remove"]);
    assert_eq!(shown("aliases"), json!({"aliases": {}}));

    folder.refused(&["functions", "delete", "hello"], 2, "add --yes");
    folder.printed(&["functions", "delete", "hello", "--yes"]);
    assert_eq!(folder.printed(&["functions", "list"]), "");
}

#[test]
fn what_can_not_be_taken_is_told_with_its_status() {
    let folder = Folder::start(&[]);
    folder.write("latin1.rb", b"# caf\xe9\n1");
    folder.write("broken.rb", "x = = 2");
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    for (arguments, status, says) in [
        (&["functions", "create", "hello", "hello.rb"][..], 2, "hello"),
        (&["functions", "create", "a", "latin1.rb"], 2, "latin1.rb is not UTF-8: line 1"),
        (&["functions", "create", "a", "broken.rb"], 2, "line 1"),
        (&["functions", "create", "a", "none.rb"], 2, "could not read none.rb"),
        (&["functions", "create", "a", "hello.rb", "--config", "{"], 2, "--config is not JSON"),
        (&["functions", "create", "a", "hello.rb", "--config", "[]"], 2, "no JSON object"),
        (&["functions", "create", "a", "hello.rb", "--config", r#"{"retires": 1}"#], 2, "retires"),
        (&["functions", "create", "no/name", "hello.rb"], 2, "letters, digits"),
        (&["functions", "show", "helo"], 5, "did you mean hello?"),
        (&["functions", "show", "hello", "--json", "verison"], 2, "did you mean version?"),
        (&["functions", "list", "--jq", ".["], 2, "is no jq filter"),
        (&["functions", "list", "--limit", "0x"], 2, "--limit"),
        (&["functions", "code", "hello", "--version", "9"], 5, "9"),
        (&["functoins"], 2, "functions"),
        (&["api", "GET", "/v1/nowhere"], 5, "there is nothing at this path"),
        (&["api", "GET", "/healthz", "--header", "nonsense"], 2, "Prefer: wait=5"),
        (&["api", "POST", "/v1/functions", "{\n]"], 2, "line 2 column 1"),
    ] {
        folder.refused(arguments, status, says);
    }
}

#[test]
fn any_request_can_be_made() {
    let folder = Folder::start(&[]);
    let body = r#"{"name": "one", "code": "1"}"#;
    let created = folder.printed(&["api", "POST", "/v1/functions", body, "--jq", ".name"]);
    assert_eq!(created, "one\n");
    let run = ["api", "post", "/v1/run", r#"{"code": "[event]", "input": 7}"#, "-H", "Prefer: wait=20"];
    let run: Value = serde_json::from_str(&folder.printed(&run)).unwrap();
    assert_eq!(run["result"], json!([7]));
}
