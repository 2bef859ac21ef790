//! `badlambda-worker doctor`, as an operator runs it.

use std::process::{Command, Output};
use std::sync::Once;

use serde_json::Value;

#[path = "../../tests/programs.rs"]
mod programs;

fn doctor(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        drop(programs::built(&["--workspace", "--bin", "badlambda-zygote", "--bin", "badlambda-cleaner"]))
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_badlambda-worker"));
    command.arg("doctor").args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn diagnosis(environment: &[(&str, &str)]) -> (Value, Option<i32>) {
    let output = doctor(&["--json"], environment);
    let parsed = serde_json::from_slice(&output.stdout);
    (parsed.unwrap_or_else(|error| panic!("{error}: {output:?}")), output.status.code())
}

/// What is asked for on this machine.
fn isolation() -> (&'static str, &'static str) {
    let root = nix::unistd::geteuid().is_root();
    ("BADLAMBDA_ISOLATION", if root { "required" } else { "unprivileged" })
}

#[test]
fn every_layer_that_is_claimed_was_tried_and_holds() {
    let (found, status) = diagnosis(&[isolation()]);
    assert_eq!((&found["starts"], status), (&Value::Bool(true), Some(0)), "{found:#}");
    for layer in found["layers"].as_array().unwrap() {
        let findings = layer["findings"].as_array().unwrap();
        match layer["state"].as_str().unwrap() {
            "absent" => assert!(layer["without"].is_string() && findings.is_empty(), "{layer}"),
            state => assert_eq!(state, "holds", "{layer}"),
        }
        assert!(findings.iter().all(|finding| finding["held"] == true), "{layer}");
    }
    for tried in ["seccomp", "rlimits", "no_new_privs", "file_system", "environment", "sweep"] {
        let layer = found["layers"].as_array().unwrap().iter().find(|layer| layer["name"] == tried);
        assert!(!layer.unwrap()["findings"].as_array().unwrap().is_empty(), "{tried}: {found:#}");
    }
}

#[test]
fn a_tier_that_cannot_be_had_fails() {
    let settings = [("BADLAMBDA_ISOLATION", "none"), ("BADLAMBDA_MIN_TIER", "1")];
    let (found, status) = diagnosis(&settings);
    assert_eq!((&found["starts"], status), (&Value::Bool(false), Some(1)));
    let output = doctor(&[], &settings);
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("BADLAMBDA_MIN_TIER=1: no worker starts here"), "{table}");
}

#[test]
fn what_is_given_up_is_said_to_be_absent() {
    let (found, status) = diagnosis(&[("BADLAMBDA_ISOLATION", "none")]);
    assert_eq!((&found["tier"], status), (&Value::from(0), Some(0)));
    assert!(found["layers"].as_array().unwrap().iter().all(|layer| layer["state"] == "absent"), "{found:#}");
}

#[test]
fn a_wrong_argument_or_setting_is_named() {
    assert_eq!(doctor(&["--yaml"], &[]).status.code(), Some(2));
    let output = doctor(&[], &[("BADLAMBDA_ISOLATION", "some")]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("BADLAMBDA_ISOLATION"), "{message}");
}
