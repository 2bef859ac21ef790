//! Cancelling, before and while something runs.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

async fn cancel(fleet: &Fleet, url: &str) -> (StatusCode, Value) {
    let answer = fleet.request(Method::DELETE, url).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn what_is_queued_never_runs() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("tell", "File.write('begun', ''); sleep 5", json!({})).await;
    let submitted = fleet.submit("tell", &json!(null)).await;
    let message_id = fleet.send("null", Some("tell")).await;
    let sent = format!("/v1/functions/tell/executions/{message_id}");
    for url in [&submitted, &sent] {
        let (status, execution) = cancel(fleet, url).await;
        assert_eq!((status.as_u16(), &execution["status"]), (202, &json!("cancelled")), "{execution}");
        // Once more is no error.
        assert_eq!(cancel(fleet, url).await.0, 202);
    }
    let worker = deployment.worker(&[]).await;
    fleet.queue_is_empty().await;
    assert_eq!(deployment.scratch.running(), 0);
    for url in [&submitted, &sent] {
        let execution = fleet.finished(url).await;
        assert_eq!((&execution["status"], &execution["attempts"]), (&json!("cancelled"), &json!(0)));
    }
    worker.drain();
}

#[tokio::test]
async fn what_runs_is_ended_within_a_few_seconds() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let _worker = deployment.worker(&[("BADLAMBDA_SLOTS", "1")]).await;
    fleet.create("long", "File.write('begun', ''); sleep 600", json!({"timeout_ms": 900_000})).await;
    for wait in [Duration::ZERO, Duration::from_secs(7)] {
        let url = fleet.submit("long", &json!(null)).await;
        deployment.scratch.begun(1).await;
        tokio::time::sleep(wait).await;
        let cancelled_at = Instant::now();
        assert_eq!(cancel(fleet, &url).await.0, 202);
        deployment.scratch.begun(0).await;
        assert!(cancelled_at.elapsed() < Duration::from_secs(8), "{:?}", cancelled_at.elapsed());
        assert_eq!(fleet.finished(&url).await["status"], "cancelled");
        fleet.queue_is_empty().await;
    }
}

#[tokio::test]
async fn what_has_finished_or_never_was_can_not_be_cancelled() {
    let fleet = Fleet::start().await;
    fleet.create("quick", "1", json!({})).await;
    let finished = fleet.execute("quick", &json!(null)).await;
    let (status, problem) = cancel(&fleet, finished["url"].as_str().unwrap()).await;
    assert_eq!((status.as_u16(), &problem["type"]), (409, &json!("already_finished")), "{problem}");
    let other = finished["url"].as_str().unwrap().replace("/quick/", "/other/");
    assert_eq!(cancel(&fleet, &other).await.0, 404);
    let (status, problem) = cancel(&fleet, "/v1/functions/nowhere/executions/order-7").await;
    assert_eq!((status.as_u16(), &problem["type"]), (404, &json!("function_not_found")), "{problem}");
}
