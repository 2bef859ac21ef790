//! When SQS or S3 does not answer.

use std::time::{Duration, Instant};

use badlambda_tests::faults::Plan;
use futures::future::join_all;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::fixtures::deployment::{Deployment, Worker};

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
async fn what_is_handed_back_while_s3_is_down_is_no_lost_attempt() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("echo", "File.write('begun', ''); sleep 1; event", json!({})).await;
    let settings = [("BADLAMBDA_MAX_ATTEMPTS", "1"), ("BADLAMBDA_DRAIN_SECONDS", "0")];
    let worker = deployment.worker(&settings).await;
    // Its version is known from now on.
    fleet.execute("echo", &json!(0)).await;
    let ids = ["order-1", "order-2", "order-3"];
    for id in ids {
        let body = json!({"function": "echo", "version": 1, "id": id, "input": id}).to_string();
        fleet.send(&body, None).await;
    }
    deployment.scratch.begun(1).await;
    deployment.proxy.follow(Plan { s3_is_down: true, ..Plan::default() });
    worker.drain();
    deployment.proxy.follow(Plan::default());
    let _other = deployment.worker(&settings).await;
    for id in ids {
        let execution = fleet.finished(&format!("/v1/functions/echo/executions/{id}")).await;
        assert_eq!(execution["result"], *id, "{execution}");
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

#[tokio::test]
async fn renewals_that_hang_have_nothing_delivered_twice() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("slow", "sleep 25; event", json!({})).await;
    deployment.proxy.follow(Plan { renewals_answered_every: 3, ..Plan::default() });
    let (_one, _other) = (deployment.worker(&[]).await, deployment.worker(&[]).await);
    let execution = fleet.execute("slow", &json!("once")).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!("once"), &json!(1)), "{execution}");
    deployment.proxy.follow(Plan::default());
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn a_worker_that_s3_refuses_says_so_and_goes_on_once_it_may() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("echo", "event", json!({})).await;
    let worker = deployment.worker(&[("BADLAMBDA_MAX_ATTEMPTS", "1")]).await;
    deployment.proxy.follow(Plan { s3_denies: true, ..Plan::default() });
    let body = json!({"function": "echo", "id": "order-1", "input": "at last"}).to_string();
    fleet.send(&body, None).await;
    deployment.is_ready(&worker, 503).await;
    deployment.proxy.follow(Plan::default());
    let execution = fleet.finished("/v1/functions/echo/executions/order-1").await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!("at last"), &json!(1)));
    deployment.is_ready(&worker, 200).await;
}

#[tokio::test]
async fn a_drain_ends_in_time_though_sqs_hangs() {
    let (_deployment, mut worker) = worker_that_runs(&[("BADLAMBDA_DRAIN_SECONDS", "1")]).await;
    let told_at = Instant::now();
    worker.process.signal(Signal::SIGTERM);
    assert_eq!(worker.process.wait(), Some(0));
    // Fargate's 120 s, less the 100 that are for executions.
    assert!(told_at.elapsed() < Duration::from_secs(1 + 20), "{:?}", told_at.elapsed());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_though_sqs_hangs() {
    let (_deployment, mut worker) = worker_that_runs(&[]).await;
    worker.process.signal(Signal::SIGTERM);
    // So that the two are not taken for one.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let told_at = Instant::now();
    worker.process.signal(Signal::SIGTERM);
    worker.process.wait();
    assert!(told_at.elapsed() < Duration::from_secs(5), "{:?}", told_at.elapsed());
}

/// A worker in the middle of an execution, with an SQS that answers nothing any more.
async fn worker_that_runs(settings: &[(&str, &str)]) -> (Deployment, Worker) {
    let deployment = Deployment::start().await;
    deployment.fleet.create("long", "File.write('begun', ''); sleep", json!({})).await;
    let worker = deployment.worker(settings).await;
    deployment.fleet.submit("long", &json!(null)).await;
    deployment.scratch.begun(1).await;
    deployment.proxy.follow(Plan { sqs_hangs: true, ..Plan::default() });
    (deployment, worker)
}
