//! Publishing among others who publish, and after a crash.

use std::collections::BTreeSet;

use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::timestamp::Timestamp;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Api, send};

#[tokio::test]
async fn many_who_publish_at_once_get_versions_of_their_own() {
    let api = Api::start().await;
    api.create_hello().await;
    let codes: Vec<String> = (0..50).map(|number| format!("{number}")).collect();
    let published =
        join_all(codes.iter().map(|code| api.put("/v1/functions/hello", json!({ "code": code })))).await;
    let mut revisions = BTreeSet::new();
    for (code, answer) in codes.iter().zip(&published) {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let function = answer.json();
        let path = format!("/v1/functions/hello/versions/{}", function["version"]);
        assert_eq!(api.get(&format!("{path}/code")).await.text, *code);
        let version = api.get(&path).await.json();
        for field in ["revision", "code_sha256", "config"] {
            assert_eq!(version[field], function[field], "{field} of {code}");
        }
        let content = revision(&api, &function).await;
        assert_eq!(content["code_sha256"], function["code_sha256"]);
        revisions.insert(function["revision"].to_string());
    }
    assert_eq!(revisions.len(), 50);
    let mut versions: Vec<u64> =
        published.iter().map(|answer| answer.json()["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=51).collect::<Vec<u64>>());
    assert_eq!(api.get("/v1/functions/hello").await.json()["version"], 51);
}

/// The latest revision of `function`, as it is stored.
async fn revision(api: &Api, function: &Value) -> Value {
    let created_at: Timestamp = serde_json::from_value(function["created_at"].clone()).unwrap();
    let revision = function["revision"].as_str().unwrap().parse().unwrap();
    let key = api.store.keys().revision(&"hello".parse().unwrap(), created_at, &revision);
    serde_json::from_slice(&api.store.get(&key, 10_000).await.unwrap().unwrap().bytes).unwrap()
}

#[tokio::test]
async fn only_one_creates() {
    let api = Api::start().await;
    let bodies = (0..4).map(|number| json!({ "name": "hello", "code": format!("{number}") }));
    let answers = join_all(bodies.map(|body| api.post("/v1/functions", body))).await;
    let created: Vec<&_> = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).collect();
    assert_eq!(created.len(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert_eq!(answer.problem(), (409, "name_taken".to_owned()));
    }
    let versions = api.get("/v1/functions/hello/versions").await.json();
    assert_eq!(
        versions["versions"].as_array().unwrap().len(),
        1,
        "the losers' code is in the history: {versions}"
    );
}

/// The version object, of one byte of code, that a publish left behind when it died before the manifest.
async fn leave_behind(api: &Api, number: u32, code_sha256: &str) {
    let mut version = api.get("/v1/functions/hello/versions").await.json()["versions"][0].clone();
    let own = json!({ "version": number, "code_sha256": code_sha256, "code_bytes": 1 });
    version.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    // As an API left it behind that knew of no revisions.
    version.as_object_mut().unwrap().remove("revision");
    let key = api.store.keys().version(&"hello".parse().unwrap(), number);
    let bytes = serde_json::to_vec(&version).unwrap();
    api.store.put(&key, bytes, JSON, Condition::Absent).await.unwrap();
}

#[tokio::test]
async fn what_a_crash_left_behind_is_never_overwritten() {
    let api = Api::start().await;
    api.create_hello().await;
    leave_behind(&api, 2, &"0".repeat(64)).await;
    let hidden = api.get("/v1/functions/hello/versions/2/code").await;
    assert_eq!(hidden.problem(), (404, "version_not_found".to_owned()));
    let next = api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    assert_eq!((next.status, &next.json()["version"]), (StatusCode::OK, &json!(3)));

    // The same content takes over what was left behind of it.
    let sha256_of_4 = "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a";
    leave_behind(&api, 4, sha256_of_4).await;
    let taken_over = api.put("/v1/functions/hello", json!({ "code": "4" })).await;
    assert_eq!((taken_over.status, &taken_over.json()["version"]), (StatusCode::OK, &json!(4)));
    assert_eq!(revision(&api, &taken_over.json()).await["code_sha256"], sha256_of_4);
}

#[tokio::test]
async fn deleting_and_publishing_at_once_leaves_one_of_both() {
    let api = Api::start().await;
    for round in 0..3 {
        api.put("/v1/functions/hello", json!({ "code": format!("'before {round}'") })).await;
        let delete = send(api.request(Method::DELETE, "/v1/functions/hello"));
        let publish = api.put("/v1/functions/hello", json!({ "code": format!("'after {round}'") }));
        let (deleted, published) = tokio::join!(delete, publish);
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
        assert!([StatusCode::OK, StatusCode::CREATED].contains(&published.status), "{published:?}");
        let now = api.get("/v1/functions/hello").await;
        if now.status == StatusCode::OK {
            let function: Value = now.json();
            let path = format!("/v1/functions/hello/versions/{}/code", function["version"]);
            assert_eq!(api.get(&path).await.text, format!("'after {round}'"));
        }
    }
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_stores_nothing() {
    let api = Api::start().await;
    let would_be = api.post("/v1/functions?dry_run=true", json!({ "name": "hello", "code": "1" })).await;
    assert_eq!((would_be.status, &would_be.json()["version"]), (StatusCode::OK, &json!(1)), "{would_be:?}");
    assert!(!would_be.headers.contains_key("location"));
    let would_be = api.put("/v1/functions/hello?dry_run=true", json!({ "code": "1" })).await;
    assert_eq!((would_be.status, &would_be.json()["form"]), (StatusCode::OK, &json!("script")));
    assert_eq!(api.get("/v1/functions/hello").await.status, StatusCode::NOT_FOUND);

    api.create_hello().await;
    let would_be = api.put("/v1/functions/hello?dry_run=true", json!({ "code": "2" })).await;
    assert_eq!((would_be.status, &would_be.json()["version"]), (StatusCode::OK, &json!(2)));
    let same = api.put("/v1/functions/hello?dry_run=true", json!({ "code": "event" })).await;
    assert_eq!(same.json()["version"], 1);
    assert_eq!(api.get("/v1/functions/hello").await.json()["version"], 1);
    assert_eq!(api.get("/v1/functions/hello/versions/2/code").await.status, StatusCode::NOT_FOUND);

    let refusals = [
        ("POST", json!({ "name": "hello", "code": "1" }), (409, "name_taken")),
        ("POST", json!({ "code": "def" }), (422, "syntax_error")),
        ("PUT", json!({ "code": "1", "config": { "memory_mb": 1 } }), (422, "invalid_field")),
    ];
    for (method, body, expected) in refusals {
        let refused = match method {
            "POST" => api.post("/v1/functions?dry_run=true", body).await,
            _ => api.put("/v1/functions/hello?dry_run=true", body).await,
        };
        assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()));
    }
    assert_eq!(api.put("/v1/functions/hello?dry_run=1", json!({})).await.problem().1, "invalid_query");
}
