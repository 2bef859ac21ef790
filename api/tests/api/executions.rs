//! Submitting executions.

use std::collections::BTreeSet;

use badlambda_shared::execution::trace::Trace;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Api, send};

#[tokio::test]
async fn an_accepted_execution_is_in_the_queue() {
    let api = Api::start().await;
    api.create_hello().await;
    let accepted = api.post("/v1/functions/hello/executions", json!({ "name": "Ada" })).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let execution = accepted.json();
    let id = execution["id"].as_str().unwrap();
    assert_eq!(execution["url"], format!("/v1/functions/hello/executions/{id}"));
    assert_eq!(accepted.headers["location"], execution["url"].as_str().unwrap());
    assert_eq!(accepted.headers["retry-after"], "1");
    assert_eq!((&execution["status"], &execution["version"]), (&json!("queued"), &json!(1)));
    let fields: BTreeSet<&str> = execution.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "attempts error finished_at function id input isolation logs_truncated logs_url replay_of result \
                    result_bytes result_url revision started_at status submitted_at url urls_expire_at usage version";
    assert_eq!(fields, expected.split_whitespace().collect());

    let revision = api.get("/v1/functions/hello").await.json()["revision"].clone();
    assert_eq!(execution["revision"], revision);
    let message = api.messages(1).await.remove(0);
    let expected = json!({
        "function": "hello", "version": 1, "revision": revision, "input": { "name": "Ada" }, "id": id,
        "submitted_at": execution["submitted_at"]
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_submits_trace_is_the_messages() {
    let api = Api::start().await;
    api.create_hello().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let xray = "Root=1-67891233-abcdef012345678912345678";
    let cases: [(&[&str], &str, Trace); 3] = [
        (&[traceparent], xray, Trace::read(Some(traceparent), Some(xray))),
        (&["nonsense"], "nonsense", Trace::NONE),
        (&[traceparent, traceparent], xray, Trace::read(None, Some(xray))),
    ];
    for (traceparents, xray, expected) in cases {
        let mut request = api.request(Method::POST, "/v1/functions/hello/executions");
        for traceparent in traceparents {
            request = request.header("traceparent", *traceparent);
        }
        let accepted = send(request.header("x-amzn-trace-id", xray)).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
        assert_eq!(api.received(1).await.remove(0).trace, expected);
    }
}

#[tokio::test]
async fn version_and_revision_are_settled_when_it_is_submitted() {
    let api = Api::start().await;
    api.create_hello().await;
    let first = api.get("/v1/functions/hello").await.json()["revision"].clone();
    let second = api.put("/v1/functions/hello", json!({ "code": "2" })).await.json()["revision"].clone();
    api.put("/v1/functions/hello/aliases/live", json!({ "version": 1 })).await;
    for (query, version) in [("", 2), ("?version=1", 1), ("?version=2", 2), ("?version=live", 1)] {
        let path = format!("/v1/functions/hello/executions{query}");
        let accepted = api.post(&path, Value::Null).await;
        assert_eq!((accepted.status, &accepted.json()["version"]), (StatusCode::ACCEPTED, &json!(version)));
    }
    let messages = api.messages(4).await;
    let mut settled: Vec<_> =
        messages.iter().map(|m| (m["version"].as_u64().unwrap(), &m["revision"])).collect();
    settled.sort_unstable_by_key(|(version, _)| *version);
    assert_eq!(settled, [(1, &first), (1, &first), (2, &second), (2, &second)]);
}

#[tokio::test]
async fn any_json_is_an_input_and_nothing_is_null() {
    let api = Api::start().await;
    api.create_hello().await;
    let inputs = ["", " [1, 2.50] ", "12345678901234567890123", "\"a\u{ffff}b\u{2028}\\u0000\"", "false"];
    for input in inputs {
        let request = api.request(Method::POST, "/v1/functions/hello/executions").body(input);
        let accepted = send(request).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{input}: {accepted:?}");
        let message = api.messages(1).await.remove(0);
        let expected: Value = serde_json::from_str(if input.is_empty() { "null" } else { input }).unwrap();
        assert_eq!(message.get("input"), Some(&expected), "{input}");
    }
}

#[tokio::test]
async fn a_large_input_goes_to_the_bucket_first() {
    let api = Api::start().await;
    api.create_hello().await;
    let input = json!({ "blob": "x".repeat(300_000) });
    let accepted = api.post("/v1/functions/hello/executions", input.clone()).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let message = api.messages(1).await.remove(0);
    assert!(message.get("input").is_none());
    let key = message["input_key"].as_str().unwrap();
    assert!(key.ends_with("/input.json"), "{key}");
    let object = api.store.get(key, 1_000_000).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&object.bytes).unwrap(), input);
}

#[tokio::test]
async fn concurrent_submits_are_each_in_the_queue_once() {
    let api = Api::start().await;
    api.create_hello().await;
    let accepted = join_all((0..100).map(|_| api.submit_hello())).await;
    let ids: BTreeSet<String> = accepted.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    let messages = api.messages(100).await;
    let sent: Vec<String> = messages.iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((ids.len(), sent.len()), (100, 100));
    assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), ids);
}
