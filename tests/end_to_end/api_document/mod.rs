//! The OpenAPI document: it is valid, its examples run, and what is made of it finds no fault with a running API.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::fixtures::fleet::{Fleet, repository};

mod examples;

/// Tokens are needed, so that requests without one can be tried.
const TOKEN: &str = "of-schemathesis-alone";

#[tokio::test]
async fn the_document_is_valid() {
    let document = badlambda_api::openapi_document();
    let program = "import json, sys; from openapi_spec_validator import OpenAPIV31SpecValidator as V; \
                   V(json.load(sys.stdin)).validate()";
    let mut python = Command::new(repository().join("target/python/bin/python"));
    python.args(["-c", program]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut running = python.spawn().expect("tests/run installs openapi-spec-validator");
    let mut stdin = running.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, document.as_bytes()).await.unwrap();
    drop(stdin);
    let ended = running.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test]
async fn requests_made_of_it_find_no_fault() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_API_TOKEN", TOKEN)]).await;
    let mut schemathesis = Command::new(repository().join("target/python/bin/schemathesis"));
    schemathesis.args(["--no-color", "--config-file", "tests/end_to_end/api_document/schemathesis.toml"]);
    schemathesis.arg("run").arg(format!("{}/openapi.json", fleet.address("api")));
    // More of them by hand, with BADLAMBDA_EXAMPLES.
    if let Ok(examples) = std::env::var("BADLAMBDA_EXAMPLES") {
        schemathesis.args(["--max-examples", &examples]);
    }
    schemathesis.current_dir(repository()).env("TOKEN", TOKEN).kill_on_drop(true);
    let ended = schemathesis.output().await.expect("tests/run installs schemathesis");
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{told}{}", String::from_utf8_lossy(&ended.stderr));
    println!("{told}");
}

/// The document, as JSON.
fn document() -> Value {
    serde_json::from_str(badlambda_api::openapi_document()).unwrap()
}
