//! Requests that bear an `Idempotency-Key`.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fixture::{Answer, Api, send};

async fn submit(api: &Api, query: &str, key: &str, input: Value) -> Answer {
    let path = format!("/v1/functions/hello/executions{query}");
    send(api.request(Method::POST, &path).header("idempotency-key", key).json(&input)).await
}

/// The `id`s of everything in the queue.
async fn ids_in_queue(api: &Api, expected: usize) -> Vec<Value> {
    let ids = api.messages(expected).await.into_iter().map(|message| message["id"].clone()).collect();
    // Another submit behind all others: had one of them been sent twice, it would come first.
    let last = api.submit_hello().await;
    assert_eq!(api.messages(1).await[0]["id"], last["id"], "something was sent twice");
    ids
}

#[tokio::test]
async fn a_repeated_request_is_the_same_execution_and_is_sent_once() {
    let api = Api::start().await;
    api.create_hello().await;
    let first = submit(&api, "", "order-7", json!(1)).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    for _ in 0..3 {
        let again = submit(&api, "", "order-7", json!(1)).await;
        assert_eq!((again.status, again.json()), (StatusCode::ACCEPTED, first.json()));
    }
    assert_eq!(ids_in_queue(&api, 1).await, [first.json()["id"].clone()]);

    api.write_record(&first.json(), json!({ "status": "succeeded" })).await;
    let finished = submit(&api, "", "order-7", json!(1)).await;
    assert_eq!((finished.status, &finished.json()["status"]), (StatusCode::OK, &json!("succeeded")));
}

#[tokio::test]
async fn another_input_or_version_under_the_same_key_is_a_conflict() {
    let api = Api::start().await;
    api.create_hello().await;
    submit(&api, "", "order-7", json!(1)).await;
    let conflict = (422, "idempotency_key_reused".to_owned());
    assert_eq!(submit(&api, "", "order-7", json!(2)).await.problem(), conflict);
    assert_eq!(submit(&api, "?version=1", "order-7", json!(1)).await.problem(), conflict);
    assert_eq!(submit(&api, "", "order-8", json!(2)).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        submit(&api, "", &"x".repeat(256), json!(2)).await.problem(),
        (422, "invalid_field".to_owned())
    );
}

#[tokio::test]
async fn at_once_they_are_one_execution_too() {
    let api = Api::start().await;
    api.create_hello().await;
    let answers = join_all((0..8).map(|_| submit(&api, "", "k", json!(1)))).await;
    let id = answers[0].json()["id"].clone();
    for answer in &answers {
        assert_eq!((answer.status, &answer.json()["id"]), (StatusCode::ACCEPTED, &id), "{answer:?}");
    }
    assert_eq!(ids_in_queue(&api, 1).await, [id]);
}

#[tokio::test]
async fn what_was_perhaps_not_sent_is_sent_again_with_the_same_id() {
    let api = Api::start().await;
    api.create_hello().await;
    let first = submit(&api, "", "k", json!(1)).await.json();
    api.messages(1).await;
    // As if the API had died between the claim and the message.
    let digest = "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a";
    let key = api.store.keys().idempotency(&"hello".parse().unwrap(), digest);
    let noted = async {
        loop {
            let object = api.store.get(&key, 4096).await.unwrap().unwrap();
            let entry: Value = serde_json::from_slice(&object.bytes).unwrap();
            if entry["sent"] == json!(true) {
                return entry;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let mut entry =
        tokio::time::timeout(Duration::from_secs(5), noted).await.expect("it is never noted as sent");
    entry["sent"] = json!(false);
    entry["submitted_at"] = json!("2025-01-01T00:00:00.000Z");
    let bytes = serde_json::to_vec(&entry).unwrap();
    api.store
        .put(&key, bytes, "application/json", badlambda_shared::aws::store::Condition::Always)
        .await
        .unwrap();
    let again = submit(&api, "", "k", json!(1)).await;
    assert_eq!((again.status, &again.json()["id"]), (StatusCode::ACCEPTED, &first["id"]));
    assert_eq!(ids_in_queue(&api, 1).await, [first["id"].clone()]);
}
