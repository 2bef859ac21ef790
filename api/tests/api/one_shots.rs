//! Code that is executed once, and is no function's.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Api, send};

#[tokio::test]
async fn code_is_stored_as_a_revision_and_listed_nowhere() {
    let api = Api::start().await;
    let body = json!({ "code": "event + 1", "input": 41, "config": { "timeout_ms": 500 } });
    let accepted = api.post("/v1/run", body).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let execution = accepted.json();
    assert_eq!(accepted.headers["location"], execution["url"].as_str().unwrap());
    assert_eq!((&execution["function"], &execution["version"]), (&json!("_run"), &json!(null)));
    let queued = api.get(execution["url"].as_str().unwrap()).await;
    assert_eq!((queued.status, &queued.json()["status"]), (StatusCode::OK, &json!("queued")));

    let message = api.messages(1).await.remove(0);
    assert_eq!((&message["function"], &message["input"]), (&json!("_run"), &json!(41)));
    assert_eq!(execution["revision"], message["revision"]);
    let revision = message["revision"].as_str().unwrap();
    let key = api.store.keys().one_shot(&revision.parse().unwrap());
    let stored = api.store.get(&key, 10_000).await.unwrap().unwrap();
    let stored: Value = serde_json::from_slice(&stored.bytes).unwrap();
    assert_eq!((&stored["code"], &stored["form"]), (&json!("event + 1"), &json!("script")));
    assert_eq!(stored["config"]["timeout_ms"], 500);
    assert_eq!(api.get("/v1/functions").await.json()["functions"], json!([]));
    let function = json!({ "name": "hello", "code": "event + 1", "config": { "timeout_ms": 500 } });
    assert_eq!(api.post("/v1/functions", function).await.json()["revision"], revision);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused() {
    let api = Api::start().await;
    for (query, body, status, slug) in [
        ("", json!({ "code": "def" }), 422, "syntax_error"),
        ("", json!({ "code": "1", "config": { "memory_mb": 1 } }), 422, "invalid_field"),
        ("", json!({ "code": "" }), 422, "invalid_field"),
        ("", json!({ "input": 1 }), 422, "invalid_field"),
        ("", json!({ "code": "1", "name": "hello" }), 422, "unknown_field"),
        ("?delay=901", json!({ "code": "1" }), 422, "invalid_field"),
        ("?version=1", json!({ "code": "1" }), 400, "invalid_query"),
    ] {
        let refused = api.post(&format!("/v1/run{query}"), body.clone()).await;
        assert_eq!(refused.problem(), (status, slug.to_owned()), "{body}");
    }
    let ruby = api.request(Method::POST, "/v1/run").header("content-type", "application/x-ruby").body("1");
    assert_eq!(send(ruby).await.problem(), (415, "unsupported_media_type".to_owned()));
}

#[tokio::test]
async fn the_name_they_run_under_is_no_functions() {
    let api = Api::start().await;
    let create = api.post("/v1/functions", json!({ "name": "_run", "code": "1" })).await;
    assert_eq!(create.problem(), (422, "invalid_field".to_owned()));
    assert_eq!(api.put("/v1/functions/_run", json!({ "code": "1" })).await.problem().1, "invalid_field");
    for path in ["/v1/functions/_run", "/v1/functions/_run/versions"] {
        assert_eq!(api.get(path).await.problem(), (404, "function_not_found".to_owned()), "{path}");
    }
    let submit = api.post("/v1/functions/_run/executions", json!(1)).await;
    assert_eq!(submit.problem(), (404, "function_not_found".to_owned()));
    let unknown = api.get("/v1/functions/_run/executions/order-7").await;
    assert_eq!(unknown.problem(), (404, "execution_not_found".to_owned()));
}

#[tokio::test]
async fn an_idempotency_key_stands_for_code_and_input() {
    let api = Api::start().await;
    let keyed = async |body: Value| {
        send(api.request(Method::POST, "/v1/run").header("idempotency-key", "k").json(&body)).await
    };
    let first = keyed(json!({ "code": "event", "input": 1 })).await;
    assert_eq!(keyed(json!({ "input": 1, "code": "event" })).await.json(), first.json());
    for other in [json!({ "code": "event", "input": 2 }), json!({ "code": "event.to_s", "input": 1 })] {
        assert_eq!(keyed(other).await.problem(), (422, "idempotency_key_reused".to_owned()));
    }
}
