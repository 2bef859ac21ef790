//! The life of a function.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Api, send};

fn numbers(list: &Value) -> Vec<u64> {
    list["versions"].as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect()
}

fn names(list: &Value) -> Vec<&str> {
    list["functions"].as_array().unwrap().iter().map(|function| function["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_function_has_the_contracts_shape() {
    let api = Api::start().await;
    let config = json!({ "timeout_ms": 5000, "environment": { "A": "b" } });
    let code = "def handler(event:, context:) = event";
    let created = api.post("/v1/functions", json!({ "name": "hello", "code": code, "config": config })).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(created.headers["location"], "/v1/functions/hello");
    assert_eq!(created.headers["cache-control"], "no-store");
    let mut function = created.json();
    assert_eq!(api.get("/v1/functions/hello").await.json(), function);
    let times = ["created_at", "updated_at"].map(|name| function.as_object_mut().unwrap().remove(name));
    assert!(times.iter().all(|time| time.as_ref().unwrap().as_str().unwrap().ends_with('Z')), "{times:?}");
    let expected = json!({
        "name": "hello", "version": 1, "aliases": {},
        "revision": "d1d6221e04097626a45f45a92e56d3f052c37df084d028d1fba9f0c60e7ac3d2",
        "code_sha256": "fc9c2f0cb6d0d9bd5a9ae28142670b6622d12d55606ef0747b5646db8241f2b4",
        "code_bytes": 37, "code_type": "ruby", "form": "handler",
        "config": {
            "timeout_ms": 5000, "memory_mb": 256, "max_result_bytes": 6_291_456, "max_log_bytes": 1_048_576,
            "max_scratch_bytes": 67_108_864, "network": false, "subprocesses": false, "max_processes": 16,
            "environment": { "A": "b" }, "compatibility": "none", "retries": 0, "keep_input": true, "store_result": "always"
        }
    });
    assert_eq!(function, expected);
}

#[tokio::test]
async fn versions_are_published_once_and_kept() {
    let api = Api::start().await;
    api.create_hello().await;
    let taken = api.post("/v1/functions", json!({ "name": "hello", "code": "2" })).await;
    assert_eq!(taken.problem(), (409, "name_taken".to_owned()));

    let again = api.put("/v1/functions/hello", json!({ "code": "event" })).await;
    assert_eq!((again.status, &again.json()["version"]), (StatusCode::OK, &json!(1)));
    let next = api.put("/v1/functions/hello", json!({ "name": "hello", "code": "[event]" })).await;
    assert_eq!((next.status, &next.json()["version"]), (StatusCode::OK, &json!(2)));
    let config = json!({ "code": "[event]", "config": { "retries": 1 } });
    let other_config = api.put("/v1/functions/hello", config).await;
    assert_eq!((other_config.status, &other_config.json()["version"]), (StatusCode::OK, &json!(3)));

    let versions = api.get("/v1/functions/hello/versions").await.json();
    assert_eq!((numbers(&versions), &versions["next"]), (vec![3, 2, 1], &Value::Null));
    let page = api.get("/v1/functions/hello/versions?limit=2").await;
    let link = "</v1/functions/hello/versions?limit=2&cursor=2>; rel=\"next\"";
    assert_eq!(page.headers["link"], link);
    let page = page.json();
    assert_eq!((numbers(&page), &page["next"]), (vec![3, 2], &json!("2")));
    let rest = api.get("/v1/functions/hello/versions?limit=2&cursor=2").await;
    assert!(!rest.headers.contains_key("link"));
    let rest = rest.json();
    assert_eq!((numbers(&rest), &rest["next"]), (vec![1], &Value::Null));

    let code = api.get("/v1/functions/hello/versions/1/code").await;
    assert_eq!((code.text.as_str(), code.headers["content-type"].as_str()), ("event", "application/x-ruby"));
    let version = api.get("/v1/functions/hello/versions/3").await.json();
    assert_eq!(version, versions["versions"][0]);
    assert_eq!(version["revision"], api.get("/v1/functions/hello").await.json()["revision"]);
    assert_eq!(version["config"]["retries"], 1);
    for missing in ["4", "0", "-1", "x", "99999999999"] {
        for path in ["", "/code"] {
            let answer = api.get(&format!("/v1/functions/hello/versions/{missing}{path}")).await;
            assert_eq!(answer.problem(), (404, "version_not_found".to_owned()), "{missing}{path}");
        }
    }
}

#[tokio::test]
async fn the_same_code_and_config_are_the_same_revision() {
    let api = Api::start().await;
    let created = async |name, config| {
        let body = json!({ "name": name, "code": "event", "config": config });
        api.post("/v1/functions", body).await.json()["revision"].clone()
    };
    let first = created("hello", json!({})).await;
    assert_eq!(created("same", json!({ "retries": 0 })).await, first);
    assert_ne!(created("other", json!({ "retries": 1 })).await, first);
    let published = async |code| {
        let function = api.put("/v1/functions/hello", json!({ "code": code })).await.json();
        (function["version"].clone(), function["revision"].clone())
    };
    let (number, second) = published("2").await;
    assert_eq!((number, second == first), (json!(2), false));
    // What was published before another one is published once more, but is no other revision.
    assert_eq!(published("event").await, (json!(3), first));
}

#[tokio::test]
async fn a_revision_goes_with_its_function_and_not_with_a_version() {
    let api = Api::start().await;
    api.create_hello().await;
    api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    let stored = async || {
        let below = api.store.list_below("functions/hello/revisions/", None, 10).await.unwrap();
        below.keys.len()
    };
    let deleted = send(api.request(Method::DELETE, "/v1/functions/hello/versions/1")).await;
    assert_eq!((deleted.status, stored().await), (StatusCode::NO_CONTENT, 2));
    let deleted = send(api.request(Method::DELETE, "/v1/functions/hello")).await;
    assert_eq!((deleted.status, stored().await), (StatusCode::NO_CONTENT, 0));
}

#[tokio::test]
async fn ruby_is_taken_as_it_is() {
    let api = Api::start().await;
    let code = "# Grüße\n{ greeting: \"Hello, #{event.fetch(\"name\")}!\" }\n";
    let ruby = |path: &str| {
        api.request(Method::POST, path).header("content-type", "application/x-ruby; charset=utf-8").body(code)
    };
    let created = send(ruby("/v1/functions?name=raw")).await;
    assert_eq!((created.status, &created.json()["form"]), (StatusCode::CREATED, &json!("script")));
    assert_eq!(api.get("/v1/functions/raw/versions/1/code").await.text, code);
    let named_by_us = send(ruby("/v1/functions")).await.json();
    let name = named_by_us["name"].as_str().unwrap();
    assert!(name.starts_with("fn-"), "{name}");
    assert_eq!(api.get(&format!("/v1/functions/{name}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn aliases_move() {
    let api = Api::start().await;
    api.create_hello().await;
    api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    for version in [1, 2, 2] {
        let pointed = api.put("/v1/functions/hello/aliases/live", json!({ "version": version })).await;
        assert_eq!(
            (pointed.status, &pointed.json()["aliases"]),
            (StatusCode::OK, &json!({ "live": version }))
        );
    }
    assert_eq!(api.get("/v1/functions/hello/versions/live/code").await.text, "2");
    let delete = async |path: &str| send(api.request(Method::DELETE, path)).await;
    let deleted = delete("/v1/functions/hello/aliases/live").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(api.get("/v1/functions/hello").await.json()["aliases"], json!({}));
    let again = delete("/v1/functions/hello/aliases/live").await;
    assert_eq!(again.problem(), (404, "alias_not_found".to_owned()));
    let gone = api.get("/v1/functions/hello/versions/live").await;
    assert_eq!(gone.problem(), (404, "version_not_found".to_owned()));
    let missing = api.put("/v1/functions/hello/aliases/live", json!({ "version": 3 })).await;
    assert_eq!(missing.problem(), (404, "version_not_found".to_owned()));
    let number = api.put("/v1/functions/hello/aliases/7", json!({ "version": 1 })).await;
    assert_eq!(number.problem(), (422, "invalid_field".to_owned()));
    let nowhere = api.put("/v1/functions/nobody/aliases/live", json!({ "version": 1 })).await;
    assert_eq!(nowhere.problem(), (404, "function_not_found".to_owned()));
}

#[tokio::test]
async fn an_alias_gives_shares_to_other_versions() {
    let api = Api::start().await;
    api.create_hello().await;
    for code in ["2", "3"] {
        api.put("/v1/functions/hello", json!({ "code": code })).await;
    }
    let put = async |body| api.put("/v1/functions/hello/aliases/live", body).await;
    let shared = json!({ "version": 1, "weights": { "2": 0.25 } });
    let pointed = put(shared.clone()).await;
    assert_eq!((pointed.status, &pointed.json()["aliases"]["live"]), (StatusCode::OK, &shared));
    assert_eq!(api.get("/v1/functions/hello/versions/live").await.json()["version"], 1);
    let in_use = send(api.request(Method::DELETE, "/v1/functions/hello/versions/2")).await;
    assert_eq!(in_use.problem(), (409, "version_in_use".to_owned()));
    let missing = put(json!({ "version": 1, "weights": { "4": 0.25 } })).await;
    assert_eq!(missing.problem(), (404, "version_not_found".to_owned()));
    for weights in [
        json!({ "2": 0.6, "3": 0.6 }),
        json!({ "1": 0.5 }),
        json!({ "2": 1.5 }),
        json!({ "x": 0.5 }),
        json!(0.5),
    ] {
        let refused = put(json!({ "version": 1, "weights": weights })).await;
        assert_eq!(refused.problem(), (422, "invalid_field".to_owned()), "{weights}");
        let pointer = refused.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
        assert!(pointer.starts_with("/weights"), "{pointer}");
    }
    let whole = put(json!({ "version": 2, "weights": { "1": 0 } })).await;
    assert_eq!(whole.json()["aliases"], json!({ "live": 2 }));
}

#[tokio::test]
async fn a_deleted_version_is_gone_and_its_number_with_it() {
    let api = Api::start().await;
    api.create_hello().await;
    for code in ["2", "3", "4"] {
        api.put("/v1/functions/hello", json!({ "code": code })).await;
    }
    api.put("/v1/functions/hello/aliases/live", json!({ "version": 1 })).await;
    let delete = async |version: &str| {
        send(api.request(Method::DELETE, &format!("/v1/functions/hello/versions/{version}"))).await
    };
    for used in ["4", "1"] {
        assert_eq!(delete(used).await.problem(), (409, "version_in_use".to_owned()), "{used}");
    }
    let tag = api.get("/v1/functions/hello").await.headers["etag"].clone();
    let deleted = delete("2").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_ne!(api.get("/v1/functions/hello").await.headers["etag"], tag);
    for missing in ["2", "5", "0", "live", "x"] {
        assert_eq!(delete(missing).await.problem(), (404, "version_not_found".to_owned()), "{missing}");
    }
    for path in ["versions/2", "versions/2/code"] {
        let gone = api.get(&format!("/v1/functions/hello/{path}")).await;
        assert_eq!(gone.problem(), (404, "version_not_found".to_owned()), "{path}");
    }
    let submitted = api.post("/v1/functions/hello/executions?version=2", Value::Null).await;
    assert_eq!(submitted.problem(), (404, "version_not_found".to_owned()));
    let pointed = api.put("/v1/functions/hello/aliases/live", json!({ "version": 2 })).await;
    assert_eq!(pointed.problem(), (404, "version_not_found".to_owned()));
    assert_eq!(numbers(&api.get("/v1/functions/hello/versions").await.json()), [4, 3, 1]);

    // The oldest ones, too; then the same code again is a version of its own.
    send(api.request(Method::DELETE, "/v1/functions/hello/aliases/live")).await;
    for version in ["1", "3"] {
        assert_eq!(delete(version).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(numbers(&api.get("/v1/functions/hello/versions").await.json()), [4]);
    let next = api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    assert_eq!((next.status, &next.json()["version"]), (StatusCode::OK, &json!(5)));
}

#[tokio::test]
async fn the_newest_revision_has_a_name() {
    let api = Api::start().await;
    api.create_hello().await;
    api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    for path in ["versions/$LATEST", "versions/%24LATEST"] {
        assert_eq!(api.get(&format!("/v1/functions/hello/{path}")).await.json()["version"], 2, "{path}");
    }
    let submitted = api.post("/v1/functions/hello/executions?version=$LATEST", Value::Null).await;
    assert_eq!((submitted.status, &submitted.json()["version"]), (StatusCode::ACCEPTED, &json!(2)));
    let named = api.put("/v1/functions/hello/aliases/$LATEST", json!({ "version": 1 })).await;
    assert_eq!(named.problem(), (422, "invalid_field".to_owned()));
}

#[tokio::test]
async fn a_deleted_functions_numbers_are_never_given_again() {
    let api = Api::start().await;
    api.create_hello().await;
    api.put("/v1/functions/hello", json!({ "code": "2" })).await;
    let deleted = send(api.request(Method::DELETE, "/v1/functions/hello")).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    for path in ["", "/versions", "/versions/1/code"] {
        let gone = api.get(&format!("/v1/functions/hello{path}")).await;
        assert_eq!(gone.problem(), (404, "function_not_found".to_owned()), "{path}");
    }
    let again = send(api.request(Method::DELETE, "/v1/functions/hello")).await;
    assert_eq!(again.problem(), (404, "function_not_found".to_owned()));
    assert_eq!(names(&api.get("/v1/functions").await.json()), [""; 0]);

    let anew = api.post("/v1/functions", json!({ "name": "hello", "code": "event" })).await;
    assert_eq!((anew.status, &anew.json()["version"]), (StatusCode::CREATED, &json!(3)));
    assert_eq!(numbers(&api.get("/v1/functions/hello/versions").await.json()), [3]);
    let old = api.get("/v1/functions/hello/versions/1/code").await;
    assert_eq!(old.problem(), (404, "version_not_found".to_owned()));
}

#[tokio::test]
async fn functions_are_listed_page_by_page() {
    let api = Api::start().await;
    for name in ["a", "a-b", "a0", "b", "c"] {
        let created = api.post("/v1/functions", json!({ "name": name, "code": "1" })).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    }
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/v1/functions?limit=2{cursor}")).await.json();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, ["a", "a-b", "a0", "b", "c"]);
}

#[tokio::test]
async fn a_whole_number_is_one_however_json_writes_it() {
    let api = Api::start().await;
    let create = api.request(Method::POST, "/v1/functions").header("content-type", "application/json");
    let created = send(create.body(r#"{"name": "hello", "code": "1", "config": {"retries": 2.0}}"#)).await;
    assert_eq!((created.status, &created.json()["config"]["retries"]), (StatusCode::CREATED, &json!(2)));
    let point = api.request(Method::PUT, "/v1/functions/hello/aliases/live");
    let point = point.header("content-type", "application/json").body(r#"{"version": 1e0}"#);
    assert_eq!(send(point).await.json()["aliases"], json!({ "live": 1 }));
}
