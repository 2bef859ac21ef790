//! Tokens: what each may do, and how often.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fixture::{Answer, Api, send};

/// The text of the token `name`.
pub(crate) fn text_of(name: &str) -> String {
    format!("{name}-0123456789abcdef")
}

/// The entry of the token `name` with these members besides.
pub(crate) fn entry(name: &str, more: Value) -> Value {
    let mut entry = json!({ "name": name, "sha256": hex::encode(Sha256::digest(text_of(name))) });
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

async fn start(entries: &[Value]) -> Api {
    let tokens = json!(entries).to_string();
    Api::start_with(&[("BADLAMBDA_TOKENS", &tokens), ("BADLAMBDA_API_TOKEN", &text_of("root"))]).await
}

/// The answer to `method path` with `body`, asked with the token `name`.
pub(crate) async fn ask(api: &Api, name: &str, method: Method, path: &str, body: Value) -> Answer {
    send(api.request(method, path).bearer_auth(text_of(name)).json(&body)).await
}

/// Creates functions with the token that may do everything.
async fn create(api: &Api, names: &[&str]) {
    for name in names {
        let created =
            ask(api, "root", Method::POST, "/v1/functions", json!({ "name": name, "code": "event" })).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    }
}

/// One route of each kind, with the scope that it needs.
fn routes(id: &str) -> Vec<(&'static str, Method, String, Value)> {
    let function = "/v1/functions/hello";
    let execution = format!("{function}/executions/{id}");
    vec![
        ("read", Method::GET, "/v1/functions".to_owned(), Value::Null),
        ("read", Method::HEAD, "/v1/functions".to_owned(), Value::Null),
        ("read", Method::GET, function.to_owned(), Value::Null),
        ("read", Method::GET, format!("{function}/versions"), Value::Null),
        ("read", Method::GET, format!("{function}/versions/1/code"), Value::Null),
        ("read", Method::GET, execution.clone(), Value::Null),
        ("read", Method::GET, format!("{execution}/result"), Value::Null),
        ("read", Method::GET, format!("{execution}/logs"), Value::Null),
        ("read", Method::GET, "/metrics".to_owned(), Value::Null),
        ("read", Method::GET, "/v1/dead-letters".to_owned(), Value::Null),
        ("read", Method::GET, "/v1/dead-letters/0".to_owned(), Value::Null),
        ("manage", Method::DELETE, "/v1/dead-letters".to_owned(), Value::Null),
        ("manage", Method::DELETE, "/v1/dead-letters/0".to_owned(), Value::Null),
        ("manage", Method::POST, "/v1/dead-letters/redrive".to_owned(), Value::Null),
        ("manage", Method::POST, "/v1/dead-letters/0/redrive".to_owned(), Value::Null),
        ("execute", Method::POST, format!("{function}/executions"), json!(1)),
        ("execute", Method::DELETE, execution, Value::Null),
        ("manage", Method::POST, "/v1/functions".to_owned(), json!({ "name": "hello", "code": "1" })),
        ("manage", Method::PUT, format!("{function}/aliases/live"), json!({ "version": 1 })),
        ("manage", Method::PUT, function.to_owned(), json!({ "code": "event" })),
        ("manage", Method::DELETE, function.to_owned(), Value::Null),
    ]
}

#[tokio::test]
async fn each_route_needs_its_scope_and_no_scope_implies_another() {
    let scopes = ["read", "execute", "manage"];
    let api = start(&scopes.map(|scope| entry(scope, json!({ "scopes": [scope] })))).await;
    create(&api, &["hello"]).await;
    let submitted = ask(&api, "root", Method::POST, "/v1/functions/hello/executions", json!(1)).await.json();
    for (needed, method, path, body) in routes(submitted["id"].as_str().unwrap()) {
        for scope in scopes.into_iter().filter(|scope| *scope != needed) {
            let refused = ask(&api, scope, method.clone(), &path, body.clone()).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{scope}: {method} {path}");
            assert_eq!(
                refused.headers["www-authenticate"],
                format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"")
            );
            if method != Method::HEAD {
                assert_eq!(refused.problem(), (403, "insufficient_scope".to_owned()));
            }
        }
        let nobody = send(api.request(method.clone(), &path).json(&body)).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        let passed = ask(&api, needed, method.clone(), &path, body).await;
        assert!(
            passed.status != StatusCode::UNAUTHORIZED && passed.status != StatusCode::FORBIDDEN,
            "{needed}: {method} {path}: {passed:?}"
        );
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_told_so_and_one_with_another_is_too() {
    let api = start(&[entry("ci", json!({ "scopes": ["read"] }))]).await;
    let with = async |authorization: &[&str]| {
        let request = api.request(Method::GET, "/v1/functions");
        let request =
            authorization.iter().fold(request, |request, value| request.header("authorization", *value));
        let refused = send(request).await;
        assert_eq!(refused.problem(), (401, "unauthorized".to_owned()), "{authorization:?}");
        refused.headers["www-authenticate"].clone()
    };
    let ci = format!("Bearer {}", text_of("ci"));
    for none in [&[][..], &["Bearer"], &["Basic Y2k6Y2k="], &[text_of("ci").as_str()]] {
        assert_eq!(with(none).await, "Bearer", "{none:?}");
    }
    let cut = ci[..ci.len() - 1].to_owned();
    for wrong in [&[cut.as_str()][..], &["Bearer x"], &[&ci, &ci]] {
        assert_eq!(with(wrong).await, "Bearer error=\"invalid_token\"", "{wrong:?}");
    }
    assert_eq!(ask(&api, "ci", Method::GET, "/v1/functions", Value::Null).await.status, StatusCode::OK);
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_for_some_functions_sees_and_uses_no_others() {
    let limited = json!({ "scopes": ["read", "execute", "manage"], "functions": ["b", "d", "new", "never"] });
    let api = start(&[entry("team", limited)]).await;
    create(&api, &["a", "b", "c", "d"]).await;
    let list = async |path: &str| {
        let page = ask(&api, "team", Method::GET, path, Value::Null).await.json();
        let names: Vec<String> = page["functions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|function| function["name"].as_str().unwrap().to_owned())
            .collect();
        (names, page["next"].clone())
    };
    assert_eq!(list("/v1/functions").await, (vec!["b".to_owned(), "d".to_owned()], Value::Null));
    assert_eq!(list("/v1/functions?limit=1").await, (vec!["b".to_owned()], json!("b")));
    assert_eq!(list("/v1/functions?cursor=b").await, (vec!["d".to_owned()], Value::Null));

    let submitted = ask(&api, "root", Method::POST, "/v1/functions/a/executions", json!(1)).await.json();
    let execution = submitted["url"].as_str().unwrap().to_owned();
    let code = json!({ "code": "2" });
    for (method, path, body) in [
        (Method::GET, "/v1/functions/a", Value::Null),
        (Method::GET, "/v1/functions/%61", Value::Null),
        (Method::GET, "/v1/functions/a/versions/1/code", Value::Null),
        (Method::GET, &execution, Value::Null),
        (Method::DELETE, &execution, Value::Null),
        (Method::POST, "/v1/functions/a/executions", json!(1)),
        (Method::PUT, "/v1/functions/a", code.clone()),
        (Method::POST, "/v1/functions", json!({ "name": "other", "code": "1" })),
        (Method::POST, "/v1/functions?name=other", code.clone()),
        (Method::DELETE, "/v1/functions/c", Value::Null),
        (Method::GET, "/metrics", Value::Null),
    ] {
        let refused = ask(&api, "team", method.clone(), path, body).await;
        assert_eq!(refused.problem(), (403, "function_not_allowed".to_owned()), "{method} {path}");
        assert_eq!(refused.headers["www-authenticate"], "Bearer error=\"insufficient_scope\"");
    }
    let nameless = ask(&api, "team", Method::POST, "/v1/functions", code.clone()).await;
    assert_eq!(nameless.problem(), (422, "invalid_field".to_owned()));
    let submitted = ask(&api, "team", Method::POST, "/v1/functions/b/executions", json!(1)).await;
    assert_eq!(submitted.status, StatusCode::ACCEPTED);
    let created = ask(&api, "team", Method::PUT, "/v1/functions/new", code).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let deleted = ask(&api, "team", Method::DELETE, "/v1/functions/d", Value::Null).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(list("/v1/functions").await.0, ["b", "new"]);
}

#[tokio::test]
async fn a_rate_holds_and_every_answer_tells_what_is_left_of_it() {
    let slow = entry("slow", json!({ "scopes": ["read"], "per_second": 2 }));
    let api = start(&[slow, entry("free", json!({ "scopes": ["read"] }))]).await;
    let mut refused = 0;
    for _ in 0..10 {
        let answer = ask(&api, "slow", Method::GET, "/v1/functions/nobody", Value::Null).await;
        assert_eq!(answer.headers["ratelimit-policy"], "\"token\";q=2;w=1");
        let left = &answer.headers["ratelimit"];
        match answer.problem() {
            (429, slug) => {
                assert_eq!((slug.as_str(), answer.headers["retry-after"].as_str()), ("rate_limited", "1"));
                assert_eq!(left, "\"token\";r=0;t=1");
                refused += 1;
            }
            (404, _) => {
                assert!(["\"token\";r=1;t=1", "\"token\";r=0;t=1"].contains(&left.as_str()), "{left}")
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused >= 1);
    // A refusal for another reason has them, too, and nobody else's answers do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let forbidden = ask(&api, "slow", Method::DELETE, "/v1/functions/nobody", Value::Null).await;
    assert_eq!(forbidden.problem().1, "insufficient_scope");
    assert_eq!(forbidden.headers["ratelimit"], "\"token\";r=1;t=1");
    let free = ask(&api, "free", Method::GET, "/v1/functions", Value::Null).await;
    assert_eq!(free.status, StatusCode::OK);
    assert!(!free.headers.contains_key("ratelimit"), "{free:?}");
}

#[tokio::test]
async fn a_token_is_told_what_it_may_be_used_for() {
    let mine = entry("mine", json!({"scopes": ["execute"], "functions": ["b", "a"], "per_second": 3}));
    let api = start(&[mine]).await;
    let told = ask(&api, "mine", Method::GET, "/v1/token", Value::Null).await;
    let expected = json!({"name": "mine", "scopes": ["execute"], "functions": ["a", "b"], "per_second": 3});
    assert_eq!((told.status, told.json()), (StatusCode::OK, expected));
    assert_eq!(api.get("/v1/token").await.problem(), (401, "unauthorized".to_owned()));
    let open = Api::start().await.get("/v1/token").await.json();
    let expected =
        json!({"name": null, "scopes": ["read", "execute", "manage"], "functions": null, "per_second": null});
    assert_eq!(open, expected);
}
