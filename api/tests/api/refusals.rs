//! Everything that is refused, and how.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Answer, Api, send};

async fn create(api: &Api, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    send(api.request(Method::POST, "/v1/functions").header("content-type", content_type).body(body)).await
}

#[tokio::test]
async fn a_function_that_cannot_be_is_refused_by_name_and_place() {
    let api = Api::start_with(&[("BADLAMBDA_MAX_CODE_BYTES", "1000")]).await;
    for (body, status, slug, member, value) in [
        ("", 400, "invalid_json", "line", json!(1)),
        ("{\n  code: 1}", 400, "invalid_json", "line", json!(2)),
        (r#"{"code": "1"} {}"#, 400, "invalid_json", "column", json!(15)),
        ("[]", 422, "invalid_field", "field", json!("body")),
        ("null", 422, "invalid_field", "field", json!("body")),
        ("{}", 422, "invalid_field", "field", json!("code")),
        (r#"{"code": ""}"#, 422, "invalid_field", "field", json!("code")),
        (r#"{"code": " \n"}"#, 422, "invalid_field", "field", json!("code")),
        (r#"{"code": 1}"#, 422, "invalid_field", "field", json!("code")),
        (r#"{"code": "1", "cod": "1"}"#, 422, "unknown_field", "field", json!("cod")),
        (r#"{"code": "1", "name": "a b"}"#, 422, "invalid_field", "field", json!("name")),
        (r#"{"code": "1", "name": "../x"}"#, 422, "invalid_field", "field", json!("name")),
        (
            r#"{"code": "1", "config": {"timeout": 1}}"#,
            422,
            "unknown_field",
            "field",
            json!("config.timeout"),
        ),
        (
            r#"{"code": "1", "config": {"timeout_ms": "1"}}"#,
            422,
            "invalid_field",
            "field",
            json!("config.timeout_ms"),
        ),
        (
            r#"{"code": "1", "config": {"timeout_ms": 0}}"#,
            422,
            "invalid_field",
            "field",
            json!("config.timeout_ms"),
        ),
        (
            r#"{"code": "1", "config": {"memory_mb": 1}}"#,
            422,
            "invalid_field",
            "field",
            json!("config.memory_mb"),
        ),
        (
            r#"{"code": "1", "config": {"environment": {"A": 1}}}"#,
            422,
            "invalid_field",
            "field",
            json!("config.environment.A"),
        ),
        (
            r#"{"code": "1", "config": {"handler": "run"}}"#,
            422,
            "invalid_field",
            "field",
            json!("config.handler"),
        ),
        (r#"{"code": "x = 1\ny = (\n"}"#, 422, "syntax_error", "line", json!(2)),
    ] {
        let answer = create(&api, "application/json", body).await;
        assert_eq!(answer.problem(), (status, slug.to_owned()), "{body}: {answer:?}");
        assert_eq!(answer.json()[member], value, "{body}: {answer:?}");
    }
    let column = create(&api, "application/json", r#"{"code": "def x(:"}"#).await.json();
    assert!(column["column"].is_u64() && !column["detail"].as_str().unwrap().is_empty(), "{column}");
    assert_eq!(api.get("/v1/functions").await.json()["functions"], json!([]), "something was created");
}

#[tokio::test]
async fn every_part_that_is_refused_is_pointed_at() {
    let api = Api::start().await;
    api.create_hello().await;
    let config = json!({ "memory_mb": 1, "retries": 1000, "environment": { "a/b": "" }, "handler": "A" });
    let refused = api.post("/v1/functions?dry_run=true", json!({ "code": "1", "config": config })).await;
    assert_eq!(refused.problem(), (422, "invalid_field".to_owned()));
    let problem = refused.json();
    let errors = problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap());
    let expected = ["/config/memory_mb", "/config/retries", "/config/environment/a~1b", "/config/handler"];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
    assert_eq!(problem["field"], "config.memory_mb");

    let first = async |request: reqwest::RequestBuilder| {
        let answer = send(request).await;
        assert_eq!(answer.problem().0, 422, "{answer:?}");
        answer.json()["errors"][0].clone()
    };
    let executions = "/v1/functions/hello/executions";
    let get = |path: &str| api.request(Method::GET, path);
    let post = |path: &str, body: &'static str| {
        api.request(Method::POST, path).header("content-type", "application/json").body(body)
    };
    assert_eq!(first(post("/v1/functions", r#"{"code": "1", "cod": "1"}"#)).await["pointer"], "/cod");
    assert_eq!(first(post("/v1/functions", r#"{"code": "def"}"#)).await["pointer"], "/code");
    assert_eq!(first(post("/v1/functions", "[]")).await["pointer"], "");
    assert_eq!(first(get("/v1/functions?limit=0")).await["parameter"], "limit");
    assert_eq!(first(get("/v1/functions/a.b")).await["parameter"], "name");
    assert_eq!(first(get("/v1/executions?since=x")).await["parameter"], "since");
    let keyed = |key: &str, body| post(executions, body).header("idempotency-key", key);
    assert_eq!(first(keyed(&"x".repeat(256), "1")).await["header"], "Idempotency-Key");
    assert_eq!(send(keyed("order-7", "1")).await.status, StatusCode::ACCEPTED);
    assert_eq!(first(keyed("order-7", "2")).await["header"], "Idempotency-Key");
}

#[tokio::test]
async fn a_body_of_the_wrong_kind_or_size_is_refused() {
    let api = Api::start_with(&[("BADLAMBDA_MAX_CODE_BYTES", "1000")]).await;
    let slug = async |content_type, body: Vec<u8>| create(&api, content_type, body).await.problem();
    let unsupported = (415, "unsupported_media_type".to_owned());
    assert_eq!(slug("text/plain", b"1".to_vec()).await, unsupported);
    assert_eq!(slug("application/x-www-form-urlencoded", b"{}".to_vec()).await, unsupported);
    let none = send(api.request(Method::POST, "/v1/functions").body("1")).await;
    assert_eq!(none.problem(), unsupported);
    assert_eq!(slug("application/x-ruby", b"'\xff'".to_vec()).await, (422, "invalid_field".to_owned()));
    assert_eq!(slug("application/json", b"{\"code\": \"\xff\"}".to_vec()).await.0, 400);
    let too_large = (413, "code_too_large".to_owned());
    assert_eq!(slug("application/x-ruby", vec![b'1'; 1001]).await, too_large);
    assert_eq!(slug("application/x-ruby", vec![b'1'; 200_000]).await, too_large);
    // Most clients read no answer before they have sent everything.
    assert_eq!(slug("application/x-ruby", vec![b'1'; 30_000_000]).await, too_large);
    let escaped = format!("{{\"code\": \"{}\"}}", "\\u0031".repeat(1000));
    assert_eq!(create(&api, "application/json", escaped).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_input_that_cannot_be_is_refused() {
    let api = Api::start_with(&[("BADLAMBDA_MAX_INPUT_BYTES", "1000")]).await;
    api.create_hello().await;
    let submit = async |query: &str, body: String| {
        send(api.request(Method::POST, &format!("/v1/functions/hello/executions{query}")).body(body)).await
    };
    for (query, body, expected) in [
        ("", "{\"a\": ".to_owned(), (400, "invalid_json")),
        ("", "hello".to_owned(), (400, "invalid_json")),
        ("", "[".repeat(101) + &"]".repeat(101), (422, "invalid_field")),
        ("", format!("\"{}\"", "x".repeat(999)), (413, "input_too_large")),
        ("?version=2", "1".to_owned(), (404, "version_not_found")),
        ("?version=live", "1".to_owned(), (404, "version_not_found")),
        ("?version=0", "1".to_owned(), (422, "invalid_field")),
        ("?versoin=1", "1".to_owned(), (400, "invalid_query")),
    ] {
        let answer = submit(query, body).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{query} {answer:?}");
    }
    let nobody = api.post("/v1/functions/nobody/executions", Value::Null).await;
    assert_eq!(nobody.problem(), (404, "function_not_found".to_owned()));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let api = Api::start().await;
    for (path, expected) in [
        ("/v1/function", (404, "not_found")),
        ("/v1/functions/hello", (404, "function_not_found")),
        ("/v1/functions/a.b", (422, "invalid_field")),
        ("/v1/functions/%ff", (400, "invalid_query")),
        ("/v1/functions?limit=0", (422, "invalid_field")),
        ("/v1/functions?limit=x", (400, "invalid_query")),
        ("/v1/functions?cursor=a/b", (422, "invalid_field")),
    ] {
        assert_eq!(api.get(path).await.problem(), (expected.0, expected.1.to_owned()), "{path}");
    }
    let wrong = send(api.request(Method::PATCH, "/v1/functions/hello")).await;
    assert_eq!(wrong.problem(), (405, "method_not_allowed".to_owned()));
    let mut allowed: Vec<&str> = wrong.headers["allow"].split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PUT"]);
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let api = Api::start().await;
    assert_eq!(api.get("/healthz").await.headers["x-request-id"].len(), 36);
    let own = send(api.request(Method::GET, "/nowhere").header("x-request-id", "trace-7")).await;
    assert_eq!(own.headers["x-request-id"], "trace-7");
    own.problem();
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_drive_a_local_api() {
    let api = Api::start().await;
    let with = async |name: &str, value: &str| {
        send(api.request(Method::GET, "/v1/functions").header(name, value)).await
    };
    assert_eq!(with("host", "rebound.example:8080").await.problem(), (403, "forbidden_host".to_owned()));
    for foreign in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(
            with("origin", foreign).await.problem(),
            (403, "forbidden_origin".to_owned()),
            "{foreign}"
        );
    }
    assert_eq!(with("host", "localhost:8080").await.status, StatusCode::OK);
    assert_eq!(with("origin", &api.url).await.status, StatusCode::OK);
}
