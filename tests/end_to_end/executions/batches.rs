//! Many executions, taken on in one request.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn every_input_of_a_batch_gets_its_own_result() {
    let fleet = Fleet::start().await;
    fleet.create("double", "event * 2", json!({})).await;
    let inputs: Vec<u64> = (0..25).collect();
    let batch = fleet.request(Method::POST, "/v1/functions/double/executions/batch").json(&inputs);
    let answer: Value = batch.send().await.unwrap().json().await.unwrap();
    let items = answer["executions"].as_array().unwrap();
    for (input, item) in inputs.iter().zip(items) {
        let id = item["id"].as_str().unwrap();
        let execution = fleet.finished(&format!("/v1/functions/double/executions/{id}")).await;
        assert_eq!((&execution["input"], &execution["result"]), (&json!(input), &json!(2 * input)));
    }
    assert_eq!(items.len(), inputs.len());
}

#[tokio::test]
async fn a_large_batch_is_taken_on_in_time() {
    // Without workers, which would want the same cores.
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("hello", "1", json!({})).await;
    let inputs: Vec<u64> = (0..10_000).collect();
    let batch = fleet.request(Method::POST, "/v1/functions/hello/executions/batch").json(&inputs);
    let began_at = Instant::now();
    let answer: Value = batch.send().await.unwrap().json().await.unwrap();
    let took = began_at.elapsed();
    eprintln!("10,000 inputs were accepted in {took:?}");
    let items = answer["executions"].as_array().unwrap();
    let ids: BTreeSet<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!(ids.len(), 10_000);
    // Programs that are not optimised take longer than the 3 s that are promised.
    assert!(took < Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 3 }), "{took:?}");
}
