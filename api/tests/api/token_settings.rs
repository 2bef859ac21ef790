//! Tokens as settings: where they come from, which are refused, and that nothing shows them.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use badlambda_api::Config;
use badlambda_shared::process::config::Environment;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::fixture::Api;
use crate::tokens::{ask, entry, text_of};

#[tokio::test]
async fn tokens_come_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    std::fs::write(&path, json!([entry("ci", json!({ "scopes": ["read"] }))]).to_string()).unwrap();
    let api = Api::start_with(&[("BADLAMBDA_TOKENS_FILE", path.to_str().unwrap())]).await;
    assert_eq!(ask(&api, "ci", Method::GET, "/v1/functions", Value::Null).await.status, StatusCode::OK);
    assert_eq!(api.get("/v1/functions").await.problem().0, 401);
}

/// What is wrong with these settings.
fn refusal(settings: &[(&str, &str)]) -> String {
    let required = [
        ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
        ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
        ("BADLAMBDA_BUCKET", "b"),
    ];
    let pairs = required.iter().chain(settings).map(|(name, value)| ((*name).into(), (*value).into()));
    let environment = Environment::from_pairs(pairs).unwrap();
    Config::from_environment(&environment).unwrap_err().to_string()
}

#[test]
fn malformed_tokens_refuse_to_start_and_show_nothing() {
    let ci = || entry("ci", json!({ "scopes": ["read"] }));
    let with_key = |name| {
        let pair = json!({ "scopes": ["read"], "access_key_id": "KEY0KEY0KEY0KEY0",
                           "secret_access_key": "sesame-sesame-sesame" });
        entry(name, pair)
    };
    let same_digest = json!([ci(), { "name": "other", "sha256": ci()["sha256"], "scopes": ["read"] }]);
    for (tokens, expected) in [
        ("[".to_owned(), "it is not JSON: line 1"),
        ("{}".to_owned(), "it must be a JSON array"),
        ("[]".to_owned(), "it must hold 1 to 1000 tokens"),
        (json!([ci(), {}]).to_string(), "entry 1: `name` is required"),
        (json!([entry("ci", json!({}))]).to_string(), "the token ci: `scopes` must be"),
        (json!([ci(), ci()]).to_string(), "two tokens have the name ci"),
        (same_digest.to_string(), "the token other: another token has the same `sha256`"),
        (json!([with_key("a"), with_key("b")]).to_string(), "the token b: another token has the same"),
    ] {
        let error = refusal(&[("BADLAMBDA_TOKENS", &tokens)]);
        assert!(error.starts_with(&format!("BADLAMBDA_TOKENS is malformed: \"…\": {expected}")), "{error}");
        assert!(!error.contains("sesame"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        std::fs::write(&path, &tokens).unwrap();
        let error = refusal(&[("BADLAMBDA_TOKENS_FILE", path.to_str().unwrap())]);
        assert!(
            error.starts_with("BADLAMBDA_TOKENS_FILE is malformed") && error.contains(expected),
            "{error}"
        );
    }
    let error = refusal(&[("BADLAMBDA_TOKENS_FILE", "/nowhere/tokens.json")]);
    assert!(error.contains("/nowhere/tokens.json") && error.contains("No such file"), "{error}");
    let tokens = json!([ci()]).to_string();
    let error = refusal(&[("BADLAMBDA_TOKENS", &tokens), ("BADLAMBDA_TOKENS_FILE", "x")]);
    assert!(error.contains("BADLAMBDA_TOKENS_FILE is set, too"), "{error}");
    // The one in the clear and one of the list must be two.
    let error = refusal(&[("BADLAMBDA_TOKENS", &tokens), ("BADLAMBDA_API_TOKEN", &text_of("ci"))]);
    assert!(error.contains("another token has the same `sha256`"), "{error}");
}

#[tokio::test]
async fn neither_the_log_nor_debug_shows_a_token() {
    let api = Api::start().await;
    let pair = json!({ "scopes": ["read"], "per_second": 1, "functions": ["only"],
                       "access_key_id": "KEY0KEY0KEY0KEY0", "secret_access_key": "sesame-sesame-sesame" });
    let mut settings = api.environment.clone();
    settings.extend([
        ("BADLAMBDA_TOKENS".to_owned(), json!([entry("ci", pair)]).to_string()),
        ("BADLAMBDA_API_TOKEN".to_owned(), text_of("root")),
        ("BADLAMBDA_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("BADLAMBDA_LOG".to_owned(), "trace".to_owned()),
    ]);
    let environment = Environment::from_pairs(settings.clone()).unwrap();
    let config = Config::from_environment(&environment).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_badlambda-api"));
    command.env_clear().envs(settings).stderr(File::create(&log).unwrap()).kill_on_drop(true);
    let _process = command.spawn().unwrap();
    let address = logged(&log, |line| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some(line["address"].as_str()?.to_owned()).filter(|_| line["message"] == "the API listens")
    })
    .await;
    let client = reqwest::Client::new();
    for (name, method) in
        [("root", Method::GET), ("ci", Method::GET), ("stranger", Method::GET), ("ci", Method::DELETE)]
    {
        let request = client.request(method, format!("http://{address}/v1/functions/only"));
        let request = request.header("x-request-id", format!("sent-with-{name}"));
        request.bearer_auth(text_of(name)).send().await.unwrap();
        logged(&log, |line| line.contains(&format!("sent-with-{name}")).then_some(())).await;
    }
    let text = std::fs::read_to_string(&log).unwrap();
    for shown in [text, format!("{config:?} {environment:?}")] {
        for secret in ["0123456789abcdef", "sesame", &hex::encode(Sha256::digest(text_of("ci")))[..16]] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}

/// What `find` makes of a line of the log, once there is such a line.
async fn logged<T>(log: &Path, find: impl Fn(&str) -> Option<T>) -> T {
    let look = async {
        loop {
            let text = std::fs::read_to_string(log).unwrap();
            if let Some(found) = text.lines().find_map(&find) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look).await.expect("it is not logged")
}
