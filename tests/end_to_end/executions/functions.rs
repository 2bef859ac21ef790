//! The main path: create, submit, poll, result, logs.

use std::collections::BTreeSet;
use std::time::Duration;

use badlambda_shared::function::alias::AliasTarget;
use badlambda_shared::limits;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;

const HELLO: &str = r#"{ greeting: "Hello, #{event.fetch("name")}!" }"#;

#[tokio::test]
async fn an_execution_goes_from_submit_to_poll() {
    let fleet = Fleet::start().await;
    let function = fleet.create("hello", HELLO, json!({})).await;
    let execution = fleet.execute("hello", &json!({"name": "Ada"})).await;
    assert_eq!(execution["status"], "succeeded");
    assert_eq!(execution["result"], json!({"greeting": "Hello, Ada!"}));
    assert_eq!((&execution["version"], &execution["attempts"]), (&json!(1), &json!(1)));
    assert_eq!(execution["revision"], function["revision"]);
    assert_eq!(execution["result_bytes"], 26);
    assert_eq!((&execution["error"], &execution["logs_url"]), (&Value::Null, &Value::Null));
    assert!(execution["usage"]["wall_ms"].as_f64().unwrap() > 0.0);
    assert!(execution["usage"]["max_rss_bytes"].as_u64().unwrap() > 1 << 20);
    let times = ["submitted_at", "started_at", "finished_at"]
        .map(|name| execution[name].as_str().unwrap().to_owned());
    assert!(times.is_sorted() && times.iter().all(|time| time.ends_with('Z')), "{times:?}");
    if nix::unistd::geteuid().is_root() {
        assert!(execution["isolation"]["tier"].as_u64().unwrap() >= 1, "{}", execution["isolation"]);
    }
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn prefer_wait_answers_with_the_result_itself() {
    let fleet = Fleet::start().await;
    fleet.create("hello", HELLO, json!({})).await;
    let submit = fleet.request(Method::POST, "/v1/functions/hello/executions").header("prefer", "wait=30");
    let answer = submit.json(&json!({"name": "Ada"})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let execution: Value = answer.json().await.unwrap();
    assert_eq!(execution["result"]["greeting"], "Hello, Ada!");
}

#[tokio::test]
async fn a_new_version_runs_and_the_old_one_can_be_named() {
    let fleet = Fleet::start().await;
    fleet.create("number", "1", json!({})).await;
    let publish = fleet.request(Method::PUT, "/v1/functions/number").json(&json!({"code": "2"}));
    assert_eq!(publish.send().await.unwrap().status(), 200);
    let of = async |query: &str| {
        let path = format!("/v1/functions/number/executions{query}");
        let submit = fleet.request(Method::POST, &path).header("prefer", "wait=30").body("null");
        let execution: Value = submit.send().await.unwrap().json().await.unwrap();
        (execution["version"].clone(), execution["result"].clone())
    };
    assert_eq!(of("").await, (json!(2), json!(2)));
    assert_eq!(of("?version=1").await, (json!(1), json!(1)));
}

#[tokio::test]
async fn result_and_logs_are_a_redirect_away() {
    let fleet = Fleet::start().await;
    fleet.create("large", "puts 'made'; 'x' * 20_000", json!({})).await;
    let execution = fleet.execute("large", &json!(null)).await;
    // Too large for the record, but there at its URL.
    assert_eq!((&execution["result"], &execution["result_bytes"]), (&Value::Null, &json!(20_002)));
    for (what, length) in [("result", 20_002), ("logs", 5)] {
        let redirect = fleet.get(&format!("{}/{what}", execution["url"].as_str().unwrap())).await;
        assert_eq!(redirect.status(), 303);
        let url = redirect.headers()["location"].to_str().unwrap();
        assert_eq!(reqwest::get(url).await.unwrap().bytes().await.unwrap().len(), length);
    }
}

#[tokio::test]
async fn a_long_execution_is_seen_running() {
    let fleet = Fleet::start().await;
    fleet.create("long", "sleep 7; 'done'", json!({})).await;
    let submit =
        fleet.request(Method::POST, "/v1/functions/long/executions").body("null").send().await.unwrap();
    let accepted: Value = submit.json().await.unwrap();
    assert_eq!(accepted["status"], "queued");
    let path = accepted["url"].as_str().unwrap().to_owned();
    let mut seen = vec![];
    while seen.last().is_none_or(|status| status != "succeeded") {
        let execution: Value = fleet.get(&path).await.json().await.unwrap();
        let status = execution["status"].as_str().unwrap().to_owned();
        if seen.last() != Some(&status) {
            seen.push(status);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(seen, ["queued", "running", "succeeded"]);
}

#[tokio::test]
async fn a_version_that_is_deleted_runs_no_more_and_the_latest_has_a_name() {
    let fleet = Fleet::start().await;
    fleet.create("number", "1", json!({})).await;
    let publish = fleet.request(Method::PUT, "/v1/functions/number").json(&json!({"code": "2"}));
    assert_eq!(publish.send().await.unwrap().status(), 200);
    let run = async |version: Value| {
        let id = fleet.send(&json!({"function": "number", "version": version}).to_string(), None).await;
        fleet.finished(&format!("/v1/functions/number/executions/{id}")).await
    };
    assert_eq!(run(json!(1)).await["result"], 1);
    let deleted = fleet.request(Method::DELETE, "/v1/functions/number/versions/1").send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    // A worker remembers what it read for a few seconds.
    tokio::time::sleep(limits::MANIFEST_TTL + Duration::from_millis(200)).await;
    assert_eq!(run(json!(1)).await["error"]["kind"], "not_found");
    assert_eq!(run(json!("$LATEST")).await["result"], 2);
    let id = fleet.send("null", Some("number:$LATEST")).await;
    let by_attribute = fleet.finished(&format!("/v1/functions/number/executions/{id}")).await;
    assert_eq!((&by_attribute["version"], &by_attribute["result"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_function_that_is_deleted_runs_no_more_by_its_number_either() {
    let fleet = Fleet::start().await;
    fleet.create("withdrawn", "'the old code'", json!({})).await;
    let by_number = json!({"function": "withdrawn", "version": 1}).to_string();
    let run = async || {
        let id = fleet.send(&by_number, None).await;
        fleet.finished(&format!("/v1/functions/withdrawn/executions/{id}")).await
    };
    assert_eq!(run().await["result"], "the old code");
    let deleted = fleet.request(Method::DELETE, "/v1/functions/withdrawn").send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    // A worker remembers what it read for a few seconds.
    tokio::time::sleep(limits::MANIFEST_TTL + Duration::from_millis(200)).await;
    assert_eq!(run().await["error"]["kind"], "not_found");
    // Nor under another function that has its name.
    fleet.create("withdrawn", "'the new code'", json!({})).await;
    assert_eq!(run().await["error"]["kind"], "not_found");
    assert_eq!(fleet.execute("withdrawn", &json!(null)).await["result"], "the new code");
}

#[tokio::test]
async fn an_alias_shares_executions_out_by_their_ids() {
    let fleet = Fleet::start().await;
    fleet.create("greet", "1", json!({})).await;
    for (path, body) in [
        ("/v1/functions/greet", json!({"code": "2"})),
        ("/v1/functions/greet/aliases/live", json!({"version": 1, "weights": {"2": 0.5}})),
    ] {
        fleet.request(Method::PUT, path).json(&body).send().await.unwrap().error_for_status().unwrap();
    }
    let inputs = vec![json!(null); 40];
    let batch =
        fleet.request(Method::POST, "/v1/functions/greet/executions/batch?version=live").json(&inputs);
    let answer: Value = batch.send().await.unwrap().json().await.unwrap();
    let items = answer["executions"].as_array().unwrap();
    let mut ids: Vec<String> = items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    for number in 0..40 {
        let id = format!("order-{number}");
        let body = json!({"function": "greet", "version": "live", "input": null, "id": id});
        fleet.send(&body.to_string(), None).await;
        ids.push(id);
    }
    let target: AliasTarget = serde_json::from_value(json!({"version": 1, "weights": {"2": 0.5}})).unwrap();
    let mut versions = BTreeSet::new();
    for id in &ids {
        let execution = fleet.finished(&format!("/v1/functions/greet/executions/{id}")).await;
        let chosen = target.choose(&id.parse().unwrap());
        assert_eq!((&execution["version"], &execution["result"]), (&json!(chosen), &json!(chosen)), "{id}");
        versions.insert(chosen);
    }
    assert_eq!(versions.len(), 2);
}
