//! Settings: the binaries take them from the environment alone, refuse what is malformed, and
//! deploy/configuration.md lists them all.

use std::fs;

use badlambda_shared::process::config::VARIABLES;

use crate::fixtures::fleet::{program, repository};

const REQUIRED: [(&str, &str); 3] = [
    ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
    ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
    ("BADLAMBDA_BUCKET", "bucket"),
];

fn refusal(binary: &str, environment: &[(&str, &str)]) -> String {
    let output = program(binary).envs(environment.iter().copied()).output().unwrap();
    assert!(!output.status.success(), "{binary} started with {environment:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn both_binaries_name_what_is_missing_malformed_or_unknown() {
    for binary in ["badlambda-api", "badlambda-worker"] {
        assert!(refusal(binary, &[]).contains("BADLAMBDA_QUEUE_URL is not set"));
        assert!(!program(binary).arg("nonsense").output().unwrap().status.success());
        for (name, value) in [
            ("BADLAMBDA_LISTEN", "nowhere"),
            ("BADLAMBDA_QUEUE_URL", "queue"),
            ("BADLAMBDA_URL_TTL_SECONDS", "long"),
            ("BADLAMBDA_MAX_INPUT_BYTES", "-1"),
            ("BADLAMBDA_LOG", "=,="),
            ("BADLAMBDA_SLOTZ", "4"),
        ] {
            let stderr = refusal(binary, &[&REQUIRED[..], &[(name, value)]].concat());
            assert!(stderr.contains(name), "{binary}, {name}: {stderr}");
        }
    }
    let exposed = refusal("badlambda-api", &[&REQUIRED[..], &[("BADLAMBDA_LISTEN", "0.0.0.0:0")]].concat());
    assert!(exposed.contains("BADLAMBDA_API_TOKEN"), "{exposed}");
    let tokens = refusal("badlambda-api", &[&REQUIRED[..], &[("BADLAMBDA_TOKENS", "[{}]")]].concat());
    assert!(tokens.contains("BADLAMBDA_TOKENS is malformed"), "{tokens}");
}

#[test]
fn the_page_has_a_row_for_every_variable() {
    let page = fs::read_to_string(repository().join("deploy/configuration.md")).unwrap();
    for variable in VARIABLES {
        let row = format!(
            "| `{}` | {} | {} | {} |",
            variable.name, variable.of, variable.meaning, variable.default
        );
        assert!(page.contains(&row), "deploy/configuration.md lacks this row:\n{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `BADLAMBDA_")).count();
    assert_eq!(rows, VARIABLES.len());
}
