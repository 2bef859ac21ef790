//! Other systems, with their own SDKs.

use std::process::Command;

use serde_json::{Value, json};

use crate::fleet::{Fleet, repository};

const SEND: &str = include_str!("send_s3_event.py");

#[tokio::test]
async fn boto3_sends_an_s3_event_and_polls_by_message_id() {
    let fleet = Fleet::start().await;
    let example = |what: &str| {
        std::fs::read_to_string(repository().join(format!("deploy/examples/s3_event{what}"))).unwrap()
    };
    fleet.create("s3_event", &example(".rb"), json!({})).await;
    let python = repository().join("target/python/bin/python");
    let (addresses, body) = (fleet.addresses.to_string(), example(".input.json"));
    let sent = tokio::task::spawn_blocking(move || {
        Command::new(python).args(["-c", SEND, &addresses, &body]).output().unwrap()
    });
    let sent = sent.await.unwrap();
    assert!(sent.status.success(), "tests/run installs boto3: {}", String::from_utf8_lossy(&sent.stderr));
    let message_id = String::from_utf8(sent.stdout).unwrap();
    let execution = fleet.finished(&format!("/v1/functions/s3_event/executions/{}", message_id.trim())).await;
    let expected: Value = serde_json::from_str(&example(".expected.json")).unwrap();
    assert_eq!(execution["result"], expected, "{}", execution["error"]);
}

#[tokio::test]
async fn a_default_function_takes_what_names_none() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_DEFAULT_FUNCTION", "audit")]).await;
    fleet.create("audit", "event", json!({})).await;
    for (body, result) in [("{\"detail\": 1}", json!({"detail": 1})), ("plain", json!("plain"))] {
        let id = fleet.send(body, None).await;
        let execution = fleet.finished(&format!("/v1/functions/audit/executions/{id}")).await;
        assert_eq!(execution["result"], result);
    }
}
