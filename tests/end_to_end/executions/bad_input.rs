//! Bad requests over HTTP: each is refused with what to do about it, and loses nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;
use crate::fixtures::request::Request;

struct Refused {
    status: u16,
    problem: Value,
}

async fn refused(request: Request) -> Refused {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{status}");
    Refused { status, problem: answer.json().await.unwrap() }
}

impl Refused {
    fn is(&self, status: u16, kind: &str, mentions: &str) {
        assert_eq!(self.status, status, "{}", self.problem);
        assert_eq!(self.problem["status"], status, "{}", self.problem);
        assert!(self.problem["type"].as_str().unwrap().ends_with(kind), "{}", self.problem);
        assert!(
            self.problem["request_id"].is_string() && self.problem["title"].is_string(),
            "{}",
            self.problem
        );
        assert!(
            self.problem["detail"].as_str().unwrap().contains(mentions),
            "{} in {}",
            mentions,
            self.problem
        );
    }
}

#[tokio::test]
async fn functions_that_can_not_be_are_refused() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_MAX_CODE_BYTES", "1000")]).await;
    let create = |body: Value| fleet.request(Method::POST, "/v1/functions").json(&body);
    let raw = |body: &'static str| {
        fleet.request(Method::POST, "/v1/functions").header("content-type", "application/json").body(body)
    };
    refused(raw("{\"name\": ")).await.is(400, "invalid_json", "");
    refused(create(json!({"name": "a b", "code": "1"}))).await.is(422, "invalid_field", "name");
    refused(create(json!({"name": "../a", "code": "1"}))).await.is(422, "invalid_field", "name");
    refused(create(json!({"name": "a", "code": ""}))).await.is(422, "invalid_field", "code");
    refused(create(json!({"name": "a", "code": "1", "cod": "2"}))).await.is(422, "unknown_field", "cod");
    refused(create(json!({"name": "a", "code": "x".repeat(1001)}))).await.is(413, "code_too_large", "1000");
    let config = |config: Value| create(json!({"name": "a", "code": "1", "config": config}));
    refused(config(json!({"tiemout_ms": 5}))).await.is(422, "unknown_field", "tiemout_ms");
    refused(config(json!({"timeout_ms": 0}))).await.is(422, "invalid_field", "timeout_ms");
    refused(config(json!({"memory_mb": 10_000_000}))).await.is(422, "invalid_field", "memory_mb");
    refused(config(json!({"network": "yes"}))).await.is(422, "invalid_field", "network");
    let listed: Value = fleet.get("/v1/functions").await.json().await.unwrap();
    assert!(!listed.to_string().contains("\"code_sha256\""), "{listed}");
}

#[tokio::test]
async fn a_syntax_error_is_found_without_running_the_code() {
    let fleet = Fleet::start().await;
    let marker = tempfile::tempdir().unwrap();
    let code = format!("BEGIN {{ system('touch {}/ran') }}\nx = 1\nx = = 2\n", marker.path().display());
    let answer =
        refused(fleet.request(Method::POST, "/v1/functions").json(&json!({"name": "bad", "code": code})))
            .await;
    answer.is(422, "syntax_error", "line 3");
    assert_eq!(answer.problem["line"], 3);
    assert_eq!(std::fs::read_dir(marker.path()).unwrap().count(), 0);
    assert_eq!(fleet.get("/v1/functions/bad").await.status(), 404);
}

#[tokio::test]
async fn executions_that_can_not_be_are_refused() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_MAX_INPUT_BYTES", "1000")]).await;
    fleet.create("hello", "event", json!({})).await;
    fleet.create("other", "event", json!({})).await;
    let submit = |path: &str, body: String| {
        let path = format!("/v1/functions/{path}");
        fleet.request(Method::POST, &path).header("content-type", "application/json").body(body)
    };
    let too_long = format!("\"{}\"", "x".repeat(1000));
    refused(submit("hello/executions", "{".to_owned())).await.is(400, "invalid_json", "");
    refused(submit("hello/executions", "NaN".to_owned())).await.is(400, "invalid_json", "");
    refused(submit("hello/executions", too_long)).await.is(413, "input_too_large", "1000");
    refused(submit("nobody/executions", "1".to_owned())).await.is(404, "function_not_found", "nobody");
    refused(submit("hello/executions?version=7", "1".to_owned())).await.is(404, "version_not_found", "7");
    refused(submit("hello/executions?versoin=7", "1".to_owned())).await.is(400, "invalid_query", "versoin");

    let accepted: Value =
        submit("hello/executions", "1".to_owned()).send().await.unwrap().json().await.unwrap();
    let id = accepted["id"].as_str().unwrap();
    let mut tampered = id.to_owned();
    let last = if tampered.pop() == Some('0') { '1' } else { '0' };
    tampered.push(last);
    for path in [
        format!("hello/executions/{tampered}"),
        format!("other/executions/{id}"),
        "hello/executions/unknown".into(),
    ] {
        refused(fleet.request(Method::GET, &format!("/v1/functions/{path}"))).await.is(
            404,
            "execution_not_found",
            "",
        );
    }
    refused(fleet.request(Method::GET, "/v1/nothing")).await.is(404, "not_found", "");
    refused(fleet.request(Method::PATCH, "/v1/functions")).await.is(405, "method_not_allowed", "");
    assert_eq!(fleet.finished(accepted["url"].as_str().unwrap()).await["status"], "succeeded");
}
