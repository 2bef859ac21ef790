//! Executions that begin later.

use std::time::Duration;

use badlambda_shared::timestamp::Timestamp;
use badlambda_tests::faults::Call;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn a_delayed_execution_begins_when_its_delay_is_over() {
    let fleet = Fleet::start().await;
    fleet.create("later", "event", json!({})).await;
    let submit = fleet.request(Method::POST, "/v1/functions/later/executions?delay=3");
    let answer = submit.header("prefer", "wait=40").json(&json!(7)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let execution: Value = answer.json().await.unwrap();
    assert_eq!(execution["result"], 7, "{execution}");
    let at = |field: &str| -> Timestamp { serde_json::from_value(execution[field].clone()).unwrap() };
    // SQS counts in seconds.
    assert!(at("submitted_at").until(at("started_at")) > Duration::from_secs(2), "{execution}");
}

#[tokio::test]
async fn who_waits_for_a_delayed_execution_looks_once() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("later", "event", json!({})).await;
    let submit = fleet.request(Method::POST, "/v1/functions/later/executions?delay=900");
    let accepted: Value = submit.json(&json!(7)).send().await.unwrap().json().await.unwrap();
    let poll = fleet.request(Method::GET, accepted["url"].as_str().unwrap()).header("prefer", "wait=2");
    assert_eq!(poll.send().await.unwrap().json::<Value>().await.unwrap()["status"], "queued");
    let look = Call { operation: "GetObject".to_owned(), on: "executions/".to_owned() };
    assert_eq!(deployment.proxy.calls().get(&look), Some(&1));
}
