//! `token`, and an API that knows what it made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Ended, Folder, run};
use crate::fixtures::fleet::program;

fn token(folder: &TempDir, arguments: &[&str]) -> Ended {
    let mut command: Command = program("badlambda");
    command.arg("token").args(arguments).current_dir(folder.path());
    run(command, "")
}

#[test]
fn an_api_takes_the_tokens_that_were_made_for_it() {
    let folder = TempDir::new().unwrap();
    let new = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let ended = token(&folder, &[&["new", "--file", "tokens.json", "--name"], &arguments[..]].concat());
        assert_eq!(ended.status, 0, "{ended:?}");
        assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
        ended.stdout.trim().to_owned()
    };
    let admin = new("admin --scopes read,execute,manage");
    let limited = new("ci --scopes read --functions hello --per-second 500");
    let file = folder.path().join("tokens.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&admin) && !text.contains(&limited), "{text}");
    let listed = token(&folder, &["list", "--file", "tokens.json"]);
    assert_eq!(listed.stdout, "admin\tread,execute,manage\t\t\nci\tread\thello\t500\n");

    let up = Folder::start(&[("BADLAMBDA_TOKENS_FILE", file.to_str().unwrap())]);
    up.refused(&["functions", "list"], 4, "--token");
    up.printed(&["functions", "create", "hello", "hello.rb", "--token", &admin]);
    assert_eq!(up.printed(&["functions", "list", "--token", &limited, "--jq", ".[].name"]), "hello\n");
    up.refused(&["invoke", "hello", "--token", &limited], 4, "execute");
    up.refused(&["functions", "list", "--token", &format!("{admin}x")], 4, "");
}

#[test]
fn a_token_is_printed_once_with_an_entry_for_the_environment() {
    let folder = TempDir::new().unwrap();
    let made = token(&folder, &["new", "--name", "a", "--scopes", "read,manage", "--functions", "f,g"]);
    let (secret, entry) = made.stdout.trim_end().split_once('\n').unwrap();
    // 256 bits, in hexadecimal.
    let digits = secret.strip_prefix("badlambda_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{secret}");
    let sha256: String = Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected =
        json!({"name": "a", "sha256": sha256, "scopes": ["read", "manage"], "functions": ["f", "g"]});
    assert_eq!(serde_json::from_str::<Value>(entry).unwrap(), expected);

    let mut list = program("badlambda");
    list.args(["token", "list", "--json", "name,functions"]).env("BADLAMBDA_TOKENS", format!("[{entry}]"));
    assert_eq!(run(list, "").stdout, "[{\"name\":\"a\",\"functions\":[\"f\",\"g\"]}]\n");
    let other = token(&folder, &["new", "--name", "a", "--scopes", "read", "--jq", ".token"]);
    assert!(other.stdout.starts_with("badlambda_") && other.stdout.trim() != secret, "{other:?}");
}

#[test]
fn what_can_be_no_token_is_told() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("list.json"), "{}").unwrap();
    for (arguments, says) in [
        (&["new", "--name", "a b", "--scopes", "read"][..], "`name` must be"),
        (&["new", "--name", "a", "--scopes", "write"], "[possible values: read, execute, manage]"),
        (&["new", "--name", "a", "--scopes", "read", "--functions", "no/name"], "letters, digits"),
        (&["new", "--name", "a", "--scopes", "read", "--per-second", "0"], "`per_second` must be"),
        (
            &["new", "--name", "a", "--scopes", "read", "--file", "list.json"],
            "list.json: it must be a JSON array",
        ),
        (
            &["new", "--name", "a", "--scopes", "read", "--file", "no/list.json"],
            "could not write no/list.json",
        ),
        (&["list"], "--file PATH"),
        (&["list", "--file", "none.json"], "could not read none.json"),
    ] {
        let ended = token(&folder, arguments);
        assert_eq!((ended.status, ended.stdout.as_str()), (2, ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{arguments:?}: {ended:?}");
    }
}
