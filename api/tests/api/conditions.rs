//! Entity tags, and changes under a condition.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Answer, Api, send};

async fn with(api: &Api, method: Method, path: &str, header: (&str, &str), body: Value) -> Answer {
    let request = api.request(method, &format!("/v1/functions/hello{path}")).header(header.0, header.1);
    send(if body.is_null() { request } else { request.json(&body) }).await
}

fn failed() -> (u16, String) {
    (412, "precondition_failed".to_owned())
}

#[tokio::test]
async fn who_has_the_function_already_is_told_so() {
    let api = Api::start().await;
    let created = api.post("/v1/functions", json!({ "name": "hello", "code": "1" })).await;
    let tag = created.headers["etag"].clone();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let got = api.get("/v1/functions/hello").await;
    assert_eq!((got.status, &got.headers["etag"]), (StatusCode::OK, &tag));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = with(&api, Method::GET, "", ("if-none-match", &known), Value::Null).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(answer.headers["etag"], tag);
    }
    let changed = api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    assert_ne!(changed.headers["etag"], tag);
    let answer = with(&api, Method::GET, "", ("if-none-match", &tag), Value::Null).await;
    assert_eq!((answer.status, &answer.headers["etag"]), (StatusCode::OK, &changed.headers["etag"]));
    let pointed = api.put("/v1/functions/hello/aliases/live", json!({ "version": 1 })).await;
    assert_ne!(pointed.headers["etag"], changed.headers["etag"]);
    let would_be = api.put("/v1/functions/hello?dry_run=true", json!({ "code": "3" })).await;
    assert!(!would_be.headers.contains_key("etag"), "{would_be:?}");
}

#[tokio::test]
async fn a_change_under_a_condition_that_does_not_hold_is_refused() {
    let api = Api::start().await;
    let put = async |name, value: &str, code| {
        with(&api, Method::PUT, "", (name, value), json!({ "code": code })).await
    };
    assert_eq!(put("if-match", "*", "1").await.problem(), failed());
    assert_eq!(put("if-none-match", "*", "1").await.status, StatusCode::CREATED);
    assert_eq!(put("if-none-match", "*", "2").await.problem(), failed());
    let old = api.get("/v1/functions/hello").await.headers["etag"].clone();
    let second = put("if-match", &old, "2").await;
    assert_eq!((second.status, &second.json()["version"]), (StatusCode::OK, &json!(2)));
    for stale in [&old, "\"other\"", &format!("W/{}", second.headers["etag"])] {
        assert_eq!(put("if-match", stale, "3").await.problem(), failed(), "{stale}");
    }
    let dry = with(&api, Method::PUT, "?dry_run=true", ("if-match", &old), json!({ "code": "3" })).await;
    assert_eq!(dry.problem(), failed());
    let malformed = put("if-match", "abc", "3").await;
    assert_eq!(malformed.problem(), (422, "invalid_field".to_owned()));
    assert_eq!(malformed.json()["errors"][0]["header"], "If-Match");

    let alias = async |method, name, value: &str, body| {
        with(&api, method, "/aliases/live", (name, value), body).await
    };
    let first = json!({ "version": 1 });
    assert_eq!(alias(Method::PUT, "if-match", "*", first.clone()).await.problem(), failed());
    assert_eq!(alias(Method::PUT, "if-match", &old, first.clone()).await.problem(), failed());
    let made = alias(Method::PUT, "if-none-match", "*", first.clone()).await;
    assert_eq!(made.json()["aliases"], json!({ "live": 1 }));
    assert_eq!(alias(Method::PUT, "if-none-match", "*", first).await.problem(), failed());
    assert_eq!(alias(Method::DELETE, "if-match", &old, Value::Null).await.problem(), failed());
    let now = &made.headers["etag"];
    assert_eq!(alias(Method::DELETE, "if-match", now, Value::Null).await.status, StatusCode::NO_CONTENT);

    let delete = async |tag: &str| with(&api, Method::DELETE, "", ("if-match", tag), Value::Null).await;
    assert_eq!(delete(now).await.problem(), failed());
    let now = api.get("/v1/functions/hello").await.headers["etag"].clone();
    assert_eq!(delete(&now).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn of_many_changes_under_the_same_condition_one_is_made() {
    let api = Api::start().await;
    api.create_hello().await;
    let tag = api.get("/v1/functions/hello").await.headers["etag"].clone();
    let changes = (0..10).map(|number| {
        with(&api, Method::PUT, "", ("if-match", &tag), json!({ "code": format!("{number}") }))
    });
    let answers = join_all(changes).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(made.len(), 1, "{answers:?}");
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert_eq!(refused.problem(), failed());
    }
    let now = api.get("/v1/functions/hello").await;
    assert_eq!((now.json(), &now.headers["etag"]), (made[0].json(), &made[0].headers["etag"]));
}
