//! One execution for each of many inputs, in one request.

use std::collections::BTreeSet;

use badlambda_shared::execution::id::{ExecutionId, Origin};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Answer, Api, send};

const PATH: &str = "/v1/functions/hello/executions/batch";

async fn lines(api: &Api, body: &str) -> Answer {
    let request = api.request(Method::POST, PATH).header("content-type", "application/x-ndjson");
    send(request.body(body.to_owned())).await
}

fn items(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["executions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_input_is_an_execution_and_each_line_too() {
    let api = Api::start().await;
    api.create_hello().await;
    let revision = api.get("/v1/functions/hello").await.json()["revision"].clone();
    for is_array in [true, false] {
        let answer = match is_array {
            true => api.post(PATH, json!([{ "n": 1 }, null, 3])).await,
            false => lines(&api, "{\"n\":1}\nnull\n\n3\n").await,
        };
        let items = items(&answer);
        let messages = api.messages(3).await;
        let inputs = [json!({ "n": 1 }), json!(null), json!(3)];
        assert_eq!(items.len(), 3);
        for (item, input) in items.iter().zip(&inputs) {
            let id: ExecutionId = item["id"].as_str().unwrap().parse().unwrap();
            assert!(matches!(id.origin(&"hello".parse().unwrap()), Origin::Issued(_)));
            let message = messages.iter().find(|message| message["id"] == item["id"]).unwrap();
            assert_eq!((message.get("input"), &message["version"]), (Some(input), &json!(1)));
            assert_eq!(message["revision"], revision);
            let polled = api.get(&format!("/v1/functions/hello/executions/{id}")).await;
            assert_eq!(polled.json()["status"], "queued");
        }
    }
    assert!(items(&api.post(PATH, json!([])).await).is_empty());
}

#[tokio::test]
async fn an_input_that_cannot_be_is_refused_alone() {
    let api = Api::start_with(&[("BADLAMBDA_MAX_INPUT_BYTES", "1000")]).await;
    api.create_hello().await;
    let deep = "[".repeat(101) + &"]".repeat(101);
    let body = format!("1\nx\n\"{}\"\n{deep}\n2\n", "x".repeat(1000));
    let items = items(&lines(&api, &body).await);
    let slugs: Vec<&str> = items.iter().map(|item| item["error"]["type"].as_str().unwrap_or("")).collect();
    assert_eq!(slugs, ["", "invalid_json", "input_too_large", "invalid_field", ""]);
    for item in &items[1..4] {
        assert!(item["error"]["title"].is_string() && item["error"]["detail"].is_string(), "{item}");
        assert!(item.get("id").is_none());
    }
    let sent: BTreeSet<String> =
        api.messages(2).await.iter().map(|message| message["id"].to_string()).collect();
    assert_eq!(sent, [&items[0], &items[4]].map(|item| item["id"].to_string()).into());
}

#[tokio::test]
async fn a_batch_that_cannot_be_is_refused() {
    let api = Api::start().await;
    api.create_hello().await;
    let many = format!("[{}1]", "1,".repeat(10_000));
    let large = format!("[\"{}\"]", "x".repeat(33 << 20));
    for (query, body, status, slug) in [
        ("", "[1,", 400, "invalid_json"),
        ("", "{}", 422, "invalid_field"),
        ("", &many, 422, "invalid_field"),
        ("", &large, 413, "body_too_large"),
        ("?version=9", "[1]", 404, "version_not_found"),
        ("?delay=901", "[1]", 422, "invalid_field"),
        ("?dealy=1", "[1]", 400, "invalid_query"),
    ] {
        let request = api.request(Method::POST, &format!("{PATH}{query}")).body(body.to_owned());
        assert_eq!(send(request).await.problem(), (status, slug.to_owned()), "{query}");
    }
    let nobody = api.post("/v1/functions/nobody/executions/batch", json!([1])).await;
    assert_eq!(nobody.problem(), (404, "function_not_found".to_owned()));
    assert_eq!(api.get(PATH).await.problem(), (405, "method_not_allowed".to_owned()));
}

#[tokio::test]
async fn a_repeated_batch_answers_the_same_ids_and_is_sent_once() {
    let api = Api::start().await;
    api.create_hello().await;
    let keyed = async |query: &str, body: Value| {
        let request = api.request(Method::POST, &format!("{PATH}{query}"));
        send(request.header("idempotency-key", "k").json(&body)).await
    };
    let first = items(&keyed("", json!([1, 2, 3])).await);
    assert_eq!(items(&keyed("", json!([1, 2, 3])).await), first);
    let conflict = (422, "idempotency_key_reused".to_owned());
    assert_eq!(keyed("", json!([1, 2])).await.problem(), conflict);
    assert_eq!(keyed("?version=1", json!([1, 2, 3])).await.problem(), conflict);
    let submit = api.request(Method::POST, "/v1/functions/hello/executions").header("idempotency-key", "k");
    assert_eq!(send(submit.json(&json!([1, 2, 3]))).await.problem(), conflict);
    // Had one been sent twice, it would come before this.
    let last = api.submit_hello().await;
    let messages = api.messages(4).await;
    assert!(messages.iter().any(|message| message["id"] == last["id"]));
    let ids: BTreeSet<String> = messages.iter().map(|message| message["id"].to_string()).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn each_message_of_a_batch_names_the_revision_of_its_own_version() {
    let api = Api::start().await;
    api.create_hello().await;
    let first = api.get("/v1/functions/hello").await.json()["revision"].clone();
    let second = api.put("/v1/functions/hello", json!({ "code": "2" })).await.json()["revision"].clone();
    let shares = json!({ "version": 1, "weights": { "2": 0.5 } });
    api.put("/v1/functions/hello/aliases/live", shares).await;
    assert_eq!(items(&api.post(&format!("{PATH}?version=live"), json!(vec![1; 30])).await).len(), 30);
    let messages = api.messages(30).await;
    let settled: BTreeSet<_> =
        messages.iter().map(|m| (m["version"].to_string(), m["revision"].to_string())).collect();
    let expected = [("1".to_owned(), first.to_string()), ("2".to_owned(), second.to_string())];
    assert_eq!(settled, expected.into());
}

#[tokio::test]
async fn a_batch_may_be_delayed() {
    let api = Api::start().await;
    api.create_hello().await;
    assert_eq!(items(&api.post(&format!("{PATH}?delay=900"), json!([1, 2])).await).len(), 2);
    assert_eq!(api.queue.depth().await.unwrap().delayed, 2);
}
