//! When SQS or S3 does not answer.

use std::time::{Duration, Instant};

use badlambda_tests::faults::Plan;
use futures::future::join_all;
use serde_json::json;

use crate::deployment::Deployment;

#[tokio::test]
async fn an_outage_of_s3_delays_executions_and_costs_no_attempt() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("echo", "File.write('begun', ''); sleep 1; event", json!({})).await;
    let _worker = deployment.worker(&[("BADLAMBDA_MAX_ATTEMPTS", "1"), ("BADLAMBDA_SLOTS", "2")]).await;
    // Its version is known from now on.
    fleet.execute("echo", &json!(0)).await;
    let ids = join_all((0..8).map(|n| {
        let body =
            json!({"function": "echo", "version": 1, "id": format!("order-{n}"), "input": n}).to_string();
        async move { fleet.send(&body, None).await }
    }));
    ids.await;
    deployment.scratch.begun(2).await;
    deployment.proxy.follow(Plan { s3_is_down: true, ..Plan::default() });
    // Longer than the visibility timeout, and than what two slots need for all of it.
    tokio::time::sleep(Duration::from_secs(12)).await;
    deployment.proxy.follow(Plan::default());
    for n in 0..8 {
        let execution = fleet.finished(&format!("/v1/functions/echo/executions/order-{n}")).await;
        assert_eq!((&execution["result"], &execution["attempts"]), (&json!(n), &json!(1)), "{execution}");
    }
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn a_poll_that_hangs_is_noticed_and_given_up() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("echo", "event", json!({})).await;
    deployment.proxy.follow(Plan { receives_hang: true, ..Plan::default() });
    let worker = deployment.worker(&[]).await;
    let hung_at = Instant::now();
    // Twice the wait of a poll, with nothing received.
    deployment.is_ready(&worker, 503).await;
    assert!(hung_at.elapsed() > Duration::from_secs(38), "{:?}", hung_at.elapsed());
    deployment.proxy.follow(Plan::default());
    let execution = fleet.execute("echo", &json!("at last")).await;
    assert_eq!(execution["result"], "at last");
    deployment.is_ready(&worker, 200).await;
}
