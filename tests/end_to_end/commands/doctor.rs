//! `doctor`.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use badlambda_tests::addresses::free_address;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Ended, Folder, run};
use crate::fixtures::fleet::{install, program, programs};

/// State, what was found and what to do, of each check.
fn checks(ended: &Ended) -> BTreeMap<String, [String; 3]> {
    let checks: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of =
        |check: Value| (text(&check["check"]), ["state", "found", "advice"].map(|field| text(&check[field])));
    checks.into_iter().map(of).collect()
}

fn examine(mut command: Command) -> (i32, BTreeMap<String, [String; 3]>) {
    command.args(["doctor", "--jq", "."]);
    let ended = run(command, "");
    (ended.status, checks(&ended))
}

#[test]
fn all_is_right_where_up_runs() {
    let folder = Folder::start(&[]);
    let (status, checks) = examine(folder.command(&[]));
    let wrong = checks.iter().filter(|(_, [state, ..])| state != "right").collect::<Vec<_>>();
    assert!(status == 0 && wrong.is_empty(), "{checks:?}");
    let names: Vec<&str> = checks.keys().map(String::as_str).collect();
    assert_eq!(names, ["api", "data", "isolation", "programs", "readiness", "ruby", "token", "version"]);
    let found = |name: &str| checks[name][1].as_str();
    let url = folder.fleet.address("api");
    assert_eq!(found("api"), format!("{url} (from the `up` that runs in this folder)"));
    assert!(found("data").ends_with(&format!("an `up` serves it on {url}")), "{checks:?}");
    assert!(found("token").ends_with("anybody may read, execute, manage"), "{checks:?}");
    let table = folder.printed(&["doctor"]);
    assert!(table.starts_with("api\tright\t") && table.lines().count() == names.len(), "{table}");
}

#[test]
fn a_token_shows_what_it_may() {
    const TOKEN: &str = "a-token-of-some-length";
    let sha256: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
    let tokens =
        json!([{"name": "me", "scopes": ["read", "manage"], "functions": ["hello"], "sha256": sha256}]);
    let folder = Folder::start(&[("BADLAMBDA_TOKENS", &tokens.to_string())]);
    let (status, checks) = examine(folder.command(&[]));
    assert_eq!((status, checks["token"][0].as_str()), (3, "wrong"), "{checks:?}");
    assert!(checks["token"][2].contains("--token") && checks["api"][0] == "right", "{checks:?}");

    let mut command = folder.command(&[]);
    command.env("BADLAMBDA_TOKEN", TOKEN);
    let (status, checks) = examine(command);
    assert_eq!((status, checks["token"][1].as_str()), (0, "it may read, manage"), "{checks:?}");
    assert_eq!(folder.printed(&["functions", "list", "--token", TOKEN]), "", "looking has stored nothing");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    // Of all our programs, only this one is here.
    install(&programs().join("badlambda"), &folder.path().join("badlambda"));
    let here = || {
        let mut command = Command::new(folder.path().join("badlambda"));
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(folder.path());
        command
    };
    let (status, checks) = examine(here());
    assert_eq!(status, 3);
    assert_eq!((checks["api"][0].as_str(), checks["data"][0].as_str()), ("absent", "absent"), "{checks:?}");
    let [state, found, advice] = &checks["programs"];
    assert!(
        state == "wrong" && found.starts_with("badlambda-zygote, badlambda-cleaner is not in "),
        "{checks:?}"
    );
    assert!(advice.starts_with("put it beside badlambda"), "{checks:?}");

    // The linker's words are its own, and come before the program's.
    let says = "echo 'badlambda-zygote: error while loading shared libraries: libruby-9.so: cannot open' >&2; exit 127";
    let script = folder.path().join("script");
    fs::write(&script, format!("#!/bin/sh\n{says}\n")).unwrap();
    for name in ["badlambda-zygote", "badlambda-cleaner"] {
        install(&script, &folder.path().join(name));
    }
    let mut elsewhere = here();
    elsewhere.env("BADLAMBDA_URL", format!("http://{}", free_address().unwrap()));
    let (status, checks) = examine(elsewhere);
    let [state, found, advice] = &checks["ruby"];
    assert!(status == 3 && state == "wrong" && found.contains("libruby-9.so"), "{checks:?}");
    assert!(advice.starts_with("install this version of Ruby"), "{checks:?}");
    let [state, found, _] = &checks["api"];
    assert!(state == "wrong" && found.ends_with("(from BADLAMBDA_URL)"), "{checks:?}");

    let mut mistyped = program("badlambda");
    mistyped.env("BADLAMBDA_URI", "x").current_dir(folder.path());
    let (status, checks) = examine(mistyped);
    assert!(status == 3 && checks["settings"][1].starts_with("BADLAMBDA_URI is not"), "{checks:?}");
}
