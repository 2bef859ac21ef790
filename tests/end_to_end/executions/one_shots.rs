//! Code that is executed once, and is no function's.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;

async fn run(fleet: &Fleet, body: Value) -> Response {
    let request = fleet.request(Method::POST, "/v1/run").header("prefer", "wait=30");
    request.json(&body).send().await.unwrap()
}

#[tokio::test]
async fn code_runs_without_a_function() {
    let fleet = Fleet::start().await;
    for (code, result) in [("event + 1", 42), ("def handler(event:, context:) = event + 2", 43)] {
        let answer = run(&fleet, json!({"code": code, "input": 41})).await;
        assert_eq!(answer.status(), 200);
        let execution: Value = answer.json().await.unwrap();
        assert_eq!((&execution["status"], &execution["result"]), (&json!("succeeded"), &json!(result)));
        assert_eq!((&execution["function"], &execution["version"]), (&json!("_run"), &json!(null)));
        assert!(execution["revision"].is_string(), "{execution}");
        let polled = fleet.finished(execution["url"].as_str().unwrap()).await;
        assert_eq!(polled["result"], result);
        let replay = format!("{}/replay", execution["url"].as_str().unwrap());
        let replay = fleet.request(Method::POST, &replay).header("prefer", "wait=30");
        let replayed: Value = replay.json(&json!({"input": 1})).send().await.unwrap().json().await.unwrap();
        assert_eq!((&replayed["result"], &replayed["replay_of"]), (&json!(result - 40), &execution["id"]));
        assert_eq!(replayed["revision"], execution["revision"]);
    }
}

#[tokio::test]
async fn the_same_code_with_another_config_shares_nothing() {
    let fleet = Fleet::start().await;
    // What the top level has seen stays in what later executions are forked from.
    let code = "SEEN = ENV['COLOUR']\ndef handler(event:, context:) = SEEN";
    for colour in ["red", "blue", "red"] {
        let config = json!({"environment": {"COLOUR": colour}});
        let execution: Value =
            run(&fleet, json!({"code": code, "config": config})).await.json().await.unwrap();
        assert_eq!(execution["result"], colour, "{execution}");
    }
}

#[tokio::test]
async fn code_that_is_not_stored_any_more_is_not_found() {
    let fleet = Fleet::start().await;
    let envelope = json!({"function": "_run", "id": "order-7", "revision": "0".repeat(64)});
    fleet.send(&envelope.to_string(), None).await;
    let execution = fleet.finished("/v1/functions/_run/executions/order-7").await;
    assert_eq!(execution["error"]["kind"], "not_found", "{execution}");
    assert!(fleet.dead_letter().await.1.contains("one-shot"));
}
