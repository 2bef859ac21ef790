//! Inputs that are kept: shown, fetched, and executed again.

use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::execution::id::ExecutionId;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Answer, Api, send};

/// An execution of `hello`, with the record that a worker would have written.
async fn recorded(api: &Api, changes: Value) -> Value {
    let mut execution = api.submit_hello().await;
    api.messages(1).await;
    execution.as_object_mut().unwrap().remove("input");
    api.write_record(&execution, changes).await;
    execution
}

async fn input(api: &Api, execution: &Value) -> Answer {
    api.get(&format!("{}/input", execution["url"].as_str().unwrap())).await
}

async fn replay(api: &Api, execution: &Value, body: Value) -> Answer {
    api.post(&format!("{}/replay", execution["url"].as_str().unwrap()), body).await
}

/// Stores an input where a worker would.
async fn store_input(api: &Api, execution: &Value, input: &Value) -> String {
    let id: ExecutionId = execution["id"].as_str().unwrap().parse().unwrap();
    let key = api.store.keys().input(&"hello".parse().unwrap(), &id);
    api.store.put(&key, input.to_string().into_bytes(), JSON, Condition::Always).await.unwrap();
    key
}

#[tokio::test]
async fn an_input_that_is_kept_can_be_fetched() {
    let api = Api::start().await;
    api.create_hello().await;
    let small = recorded(&api, json!({ "status": "succeeded", "input": { "n": 1 } })).await;
    assert_eq!(api.get(small["url"].as_str().unwrap()).await.json()["input"], json!({ "n": 1 }));
    let fetched = input(&api, &small).await;
    assert_eq!((fetched.status, fetched.text.as_str()), (StatusCode::OK, "{\"n\":1}"));

    let null = recorded(&api, json!({ "status": "running", "input": null })).await;
    assert_eq!(input(&api, &null).await.text, "null");

    let large = recorded(&api, json!({ "status": "succeeded" })).await;
    let key = store_input(&api, &large, &json!([1])).await;
    api.write_record(&large, json!({ "status": "succeeded", "input_key": key })).await;
    let polled = api.get(large["url"].as_str().unwrap()).await.json();
    assert!(polled["input"].is_null() && polled.get("input_key").is_none(), "{polled}");
    let redirect = input(&api, &large).await;
    assert_eq!(redirect.status, StatusCode::SEE_OTHER, "{redirect:?}");
    let fetched = Client::new().get(&redirect.headers["location"]).send().await.unwrap();
    assert_eq!(fetched.text().await.unwrap(), "[1]");
}

#[tokio::test]
async fn an_input_that_is_not_there_is_told_apart() {
    let api = Api::start().await;
    api.create_hello().await;
    let queued = api.submit_hello().await;
    api.messages(1).await;
    let running = recorded(&api, json!({ "status": "running" })).await;
    let finished = recorded(&api, json!({ "status": "succeeded" })).await;
    for (execution, fetched, replayed) in [
        (&queued, (409, "not_started"), (409, "not_started")),
        (&running, (409, "not_finished"), (409, "not_finished")),
        (&finished, (404, "no_input"), (409, "input_not_kept")),
    ] {
        assert_eq!(input(&api, execution).await.problem(), (fetched.0, fetched.1.to_owned()));
        let refused = replay(&api, execution, json!({})).await;
        assert_eq!(refused.problem(), (replayed.0, replayed.1.to_owned()));
    }
    let forged = ExecutionId::issue(&"other".parse().unwrap());
    let unknown = json!({ "url": format!("/v1/functions/hello/executions/{forged}") });
    assert_eq!(replay(&api, &unknown, json!({})).await.problem(), (404, "execution_not_found".to_owned()));
}

#[tokio::test]
async fn an_execution_is_replayed_as_it_was_or_with_changes() {
    let api = Api::start().await;
    api.create_hello().await;
    let original = recorded(&api, json!({ "status": "failed", "input": 7 })).await;
    api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    for (body, version, expected) in [
        (json!({}), 1, json!(7)),
        (json!({ "version": 2 }), 2, json!(7)),
        (json!({ "version": "2", "input": null }), 2, json!(null)),
        (json!({ "input": { "n": 1 } }), 1, json!({ "n": 1 })),
    ] {
        let accepted = replay(&api, &original, body.clone()).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
        let execution = accepted.json();
        assert_eq!(accepted.headers["location"], execution["url"].as_str().unwrap());
        assert_eq!((&execution["replay_of"], &execution["version"]), (&original["id"], &json!(version)));
        let message = api.messages(1).await.remove(0);
        assert_eq!((&message["id"], &message["replay_of"]), (&execution["id"], &original["id"]), "{body}");
        assert_eq!((&message["version"], &message["input"]), (&json!(version), &expected), "{body}");
    }
    let large = json!("x".repeat(300_000));
    let key = store_input(&api, &original, &large).await;
    let stored = recorded(&api, json!({ "status": "succeeded", "input_key": key })).await;
    assert_eq!(replay(&api, &stored, json!({})).await.status, StatusCode::ACCEPTED);
    let own_key = api.messages(1).await.remove(0)["input_key"].as_str().unwrap().to_owned();
    let copied = api.store.get(&own_key, 1_000_000).await.unwrap().unwrap();
    assert!(own_key != key && copied.bytes == large.to_string().into_bytes());
}

#[tokio::test]
async fn an_execution_of_a_revision_alone_is_replayed_as_one() {
    let api = Api::start().await;
    api.create_hello().await;
    let original = recorded(&api, json!({ "status": "failed", "input": 7, "version": null })).await;
    api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    let accepted = replay(&api, &original, json!({})).await.json();
    assert_eq!((&accepted["version"], &accepted["revision"]), (&json!(null), &original["revision"]));
    let message = api.messages(1).await.remove(0);
    assert_eq!((message.get("version"), &message["revision"]), (None, &original["revision"]));
    let other = replay(&api, &original, json!({ "version": 2 })).await.json();
    assert_eq!(other["version"], 2);
    let unknown = json!({ "status": "failed", "input": 7, "version": null, "revision": "0".repeat(64) });
    let unknown = recorded(&api, unknown).await;
    let refused = replay(&api, &unknown, json!({})).await;
    assert_eq!(refused.problem(), (404, "version_not_found".to_owned()));
}

#[tokio::test]
async fn a_replay_is_a_submit_in_all_else() {
    let api = Api::start().await;
    api.create_hello().await;
    let original = recorded(&api, json!({ "status": "succeeded", "input": 7 })).await;
    let path = format!("{}/replay", original["url"].as_str().unwrap());
    // Without a body, too.
    let keyed = async || send(api.request(Method::POST, &path).header("idempotency-key", "k")).await;
    let (first, again) = (keyed().await, keyed().await);
    assert_eq!((first.status, first.json()), (again.status, again.json()));
    let submit = api.request(Method::POST, "/v1/functions/hello/executions").header("idempotency-key", "k");
    assert_eq!(send(submit.json(&7)).await.problem(), (422, "idempotency_key_reused".to_owned()));
    for (body, status, slug) in [
        (json!({ "version": 9 }), 404, "version_not_found"),
        (json!({ "version": 0 }), 422, "invalid_field"),
        (json!({ "inputs": 1 }), 422, "unknown_field"),
        (json!([]), 422, "invalid_field"),
    ] {
        assert_eq!(replay(&api, &original, body).await.problem(), (status, slug.to_owned()));
    }
    let deep = format!("{{\"input\": {}{}}}", "[".repeat(101), "]".repeat(101));
    assert_eq!(send(api.request(Method::POST, &path).body(deep)).await.problem().1, "invalid_field");
}
