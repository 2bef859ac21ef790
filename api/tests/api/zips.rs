//! Functions whose code comes in a zip.

use badlambda_shared::function::package::Packer;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{Answer, Api, send, send_unchecked};

const HANDLER: &str = "def handler(event:, context:) = event\n";

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut packer = Packer::default();
    for (path, content) in files {
        packer.file(path, content.as_bytes(), false).unwrap();
    }
    packer.finish().unwrap()
}

async fn upload(api: &Api, method: Method, path: &str, zip: Vec<u8>) -> Answer {
    send(api.request(method, path).header("content-type", "application/zip").body(zip)).await
}

#[tokio::test]
async fn a_zip_is_code_like_a_file() {
    let api = Api::start().await;
    let first = zip(&[("function.rb", HANDLER)]);
    let created = upload(&api, Method::POST, "/v1/functions?name=hello", first.clone()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let created = created.json();
    assert_eq!((&created["code_type"], &created["form"]), (&json!("zip"), &json!("handler")));
    assert_eq!(created["code_bytes"], first.len());

    let again = upload(&api, Method::PUT, "/v1/functions/hello", first.clone()).await.json();
    assert_eq!(again, created);
    let second = zip(&[("app.rb", HANDLER), ("lib/words.txt", "words")]);
    let changed = upload(&api, Method::PUT, "/v1/functions/hello?handler=app.handler", second.clone()).await;
    assert_eq!(changed.json()["version"], 2, "{changed:?}");
    assert_eq!(changed.json()["config"]["handler"], "app.handler");
    // In JSON it may have a config of its own.
    let body =
        json!({"zip": BASE64_STANDARD.encode(&second), "config": {"handler": "app.handler", "retries": 1}});
    assert_eq!(api.put("/v1/functions/hello", body).await.json()["version"], 3);
    assert_eq!(api.put("/v1/functions/hello", json!({"code": "event"})).await.json()["version"], 4);

    let version = api.get("/v1/functions/hello/versions/2").await.json();
    assert_eq!(
        (&version["code_type"], &version["code_sha256"]),
        (&json!("zip"), &changed.json()["code_sha256"])
    );
    for (number, zip) in [(1, &first), (2, &second)] {
        let code = api.get(&format!("/v1/functions/hello/versions/{number}/code")).await;
        assert_eq!(code.status, StatusCode::SEE_OTHER, "{code:?}");
        let stored = reqwest::get(&code.headers["location"]).await.unwrap().bytes().await.unwrap();
        assert_eq!(stored, zip);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_zip_is_said_and_nothing_is_stored() {
    let api = Api::start().await;
    let broken = zip(&[("function.rb", HANDLER), ("app.rb", "def handler(\n")]);
    for (query, zip, kind, words) in [
        ("", b"PK\x03\x04 and no more".to_vec(), "invalid_field", "it is not a zip"),
        ("", zip(&[]), "invalid_field", "holds no file"),
        ("", zip(&[("../function.rb", HANDLER)]), "invalid_field", "has `..` in its path"),
        ("", zip(&[("app.rb", HANDLER)]), "invalid_field", "the zip has no file function.rb"),
        ("&handler=run", zip(&[("function.rb", HANDLER)]), "invalid_field", "it must name file and method"),
        ("&handler=.run", zip(&[("function.rb", HANDLER)]), "invalid_field", "must name a Ruby method"),
        ("&handler=app.handler", broken, "syntax_error", "app.rb: "),
    ] {
        let path = format!("/v1/functions?name=hello{query}");
        let answer = upload(&api, Method::POST, &path, zip).await;
        assert!(answer.text.contains(words), "{words}: {answer:?}");
        assert_eq!(answer.problem().1, kind, "{answer:?}");
    }
    let both = json!({"name": "hello", "code": "1", "zip": ""});
    for body in [both, json!({"name": "hello"}), json!({"name": "hello", "zip": "no base64"})] {
        assert_eq!(api.post("/v1/functions", body).await.problem(), (422, "invalid_field".to_owned()));
    }
    let file = json!({"name": "hello", "code": HANDLER, "config": {"handler": "app.handler"}});
    assert_eq!(api.post("/v1/functions", file).await.problem().0, 422);
    assert_eq!(api.get("/v1/functions").await.json()["functions"], json!([]));
}

#[tokio::test]
async fn a_zip_that_is_too_large_is_refused() {
    let api = Api::start().await;
    let large = vec![0; 50 * 1024 * 1024 + 1];
    let body = api
        .request(Method::POST, "/v1/functions?name=hello")
        .header("content-type", "application/zip")
        .body(large);
    assert_eq!(send_unchecked(body).await.problem(), (413, "code_too_large".to_owned()));
}
