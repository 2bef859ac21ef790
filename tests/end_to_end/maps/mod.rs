//! Maps: what comes of their inputs, and what they do to others.

mod ends;
mod fair;
mod results;

use std::time::Instant;

use badlambda_shared::aws::store::NDJSON;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::fleet::{Fleet, PATIENCE};

/// Submits these inputs; returns where to poll.
async fn submit(fleet: &Fleet, function: &str, query: &str, inputs: &[Value]) -> String {
    let body: String = inputs.iter().map(|input| format!("{input}\n")).collect();
    let path = format!("/v1/functions/{function}/maps{query}");
    let request = fleet.request(Method::POST, &path).header("content-type", NDJSON).body(body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 202);
    answer.json::<Value>().await.unwrap()["url"].as_str().unwrap().to_owned()
}

/// Polls a map until this is so.
pub async fn until(fleet: &Fleet, url: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let map: Value = fleet.request(Method::GET, url).send().await.unwrap().json().await.unwrap();
        if is_so(&map) {
            return map;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{url} did not come so far");
}

async fn finished(fleet: &Fleet, url: &str) -> Value {
    let map =
        until(fleet, url, |map| ["finished", "cancelled"].contains(&map["status"].as_str().unwrap())).await;
    let ended = map["succeeded"].as_u64().unwrap() + map["failed"].as_u64().unwrap();
    assert_eq!((&map["status"], &map["total"]), (&json!("finished"), &json!(ended)), "{map}");
    map
}

/// The lines of its results, from this index on.
async fn results(fleet: &Fleet, url: &str, from: u64) -> Vec<Value> {
    let answer = fleet.get(&format!("{url}/results?from={from}")).await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
