//! How maps end before their time, and how they go on after a worker that was lost.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{finished, results, submit, until};
use crate::fixtures::deployment::Deployment;

const SLEEPS: &str = "if event > 0\n  File.write('begun', '')\n  sleep event\nend\nrand";

#[tokio::test]
async fn a_map_is_cancelled_within_five_seconds_and_what_had_ended_stays() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let worker = deployment.worker(&[]).await;
    fleet.create("sleeps", SLEEPS, json!({"timeout_ms": 900_000})).await;
    let url = submit(fleet, "sleeps", "", &[json!(0), json!(600), json!(0), json!(600), json!(0)]).await;
    let map = until(fleet, &url, |map| map["succeeded"] == 2).await;
    assert_eq!((&map["status"], &map["running"]), (&json!("running"), &json!(3)), "{map}");
    let before = results(fleet, &url, 0).await;
    assert_eq!(before.len(), 1, "the second one has not ended");
    deployment.scratch.begun(2).await;
    let cancelled_at = Instant::now();
    let cancelled = fleet.request(Method::DELETE, &url).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    deployment.scratch.begun(0).await;
    assert!(cancelled_at.elapsed() < Duration::from_secs(5), "{:?}", cancelled_at.elapsed());
    fleet.queue_is_empty().await;
    let map: Value = fleet.get(&url).await.json().await.unwrap();
    assert_eq!(
        (&map["status"], &map["succeeded"], &map["running"]),
        (&json!("cancelled"), &json!(2), &json!(0))
    );
    let lines = results(fleet, &url, 0).await;
    let indices: Vec<u64> = lines.iter().map(|line| line["index"].as_u64().unwrap()).collect();
    assert_eq!((indices, &lines[0]), (vec![0, 2], &before[0]));
    worker.drain();
}

#[tokio::test]
async fn after_a_kill_a_chunk_goes_on_from_what_was_stored() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let worker = deployment.worker(&[]).await;
    fleet.create("sleeps", SLEEPS, json!({})).await;
    let inputs = [vec![json!(0); 20], vec![json!(9)], vec![json!(0); 20]].concat();
    let url = submit(fleet, "sleeps", "", &inputs).await;
    until(fleet, &url, |map| map["succeeded"] == 40).await;
    let before = results(fleet, &url, 0).await;
    assert_eq!(before.len(), 20);
    worker.kill();
    let worker = deployment.worker(&[]).await;
    let map = finished(fleet, &url).await;
    assert_eq!(map["succeeded"], 41, "{map}");
    let after = results(fleet, &url, 0).await;
    assert_eq!((after.len(), &after[..20]), (41, &before[..]), "what was told does not change");
    fleet.queue_is_empty().await;
    worker.drain();
}

#[tokio::test]
async fn a_worker_that_stops_hands_the_rest_of_its_chunk_to_another() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let worker = deployment.worker(&[]).await;
    fleet.create("item", "sleep 0.1; rand", json!({})).await;
    let url = submit(fleet, "item", "", &(0..100).map(Value::from).collect::<Vec<_>>()).await;
    until(fleet, &url, |map| map["status"] == "running").await;
    let stopped_at = Instant::now();
    worker.drain();
    assert!(stopped_at.elapsed() < Duration::from_secs(4), "{:?}", stopped_at.elapsed());
    let map: Value = fleet.get(&url).await.json().await.unwrap();
    let stored = map["succeeded"].as_u64().unwrap();
    assert!(stored < 100, "{map}");
    let before = results(fleet, &url, 0).await;
    let worker = deployment.worker(&[]).await;
    finished(fleet, &url).await;
    let after = results(fleet, &url, 0).await;
    assert_eq!((after.len(), &after[..before.len()]), (100, &before[..]));
    worker.drain();
}

#[tokio::test]
async fn the_items_of_a_function_that_is_gone_fail_and_their_chunks_are_dead_letters() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("gone", "1", json!({})).await;
    let url = submit(fleet, "gone", "?chunk=3", &(0..6).map(Value::from).collect::<Vec<_>>()).await;
    fleet.request(Method::DELETE, "/v1/functions/gone").send().await.unwrap();
    let worker = deployment.worker(&[]).await;
    let map = finished(fleet, &url).await;
    assert_eq!(map["kinds"], json!({"not_found": 6}), "{map}");
    assert!(results(fleet, &url, 0).await.iter().all(|line| line["error"]["kind"] == "not_found"));
    for _ in 0..2 {
        let (body, reason) = fleet.dead_letter().await;
        assert!(body.starts_with("{\"map\":") && reason.contains("gone"), "{body} {reason}");
    }
    fleet.queue_is_empty().await;
    worker.drain();
}

#[tokio::test]
async fn a_message_that_only_looks_like_a_chunk_is_a_dead_letter() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let worker = deployment.worker(&[]).await;
    for body in ["{\"map\":1}", "{\"map\":\"7ybq9m47a9bx68tm6t2nxd0t038t4ab\",\"function\":\"hello\"}"] {
        fleet.send(body, None).await;
        let (dead, reason) = fleet.dead_letter().await;
        assert!(dead == body && reason.contains("chunk of a map"), "{dead} {reason}");
    }
    // With the attribute it is an input like any other.
    fleet.create("echo", "event", json!({})).await;
    let id = fleet.send("{\"map\":1}", Some("echo")).await;
    let execution = fleet.finished(&format!("/v1/functions/echo/executions/{id}")).await;
    assert_eq!(execution["result"], json!({"map": 1}));
    worker.drain();
}
