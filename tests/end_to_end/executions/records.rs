//! One final record, whoever else writes: two workers with the same message, one that was stopped for too long, an S3
//! that refuses conditional writes or loses its answers.

use std::time::{Duration, Instant};

use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_tests::faults::Plan;
use futures::future::join_all;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::PATIENCE;

#[tokio::test]
async fn two_workers_with_the_same_execution_leave_one_record() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let _workers = [deployment.worker(&[]).await, deployment.worker(&[]).await];
    fleet.create("chance", "puts 'a log'; sleep 0.5; rand(10**9)", json!({})).await;
    let id = |n| format!("order-{n}");
    let envelope = |n| json!({"function": "chance", "id": id(n)}).to_string();
    let twice = (0..10).flat_map(|n| [n, n]).map(|n| async move { fleet.send(&envelope(n), None).await });
    join_all(twice).await;
    for n in 0..10 {
        let execution = fleet.finished(&format!("/v1/functions/chance/executions/{}", id(n))).await;
        fits(&deployment, &execution).await;
    }
    fleet.queue_is_empty().await;
    for n in 0..10 {
        assert_eq!(objects(&deployment, "chance", &id(n)).await.len(), 3, "record, result, logs");
    }
}

#[tokio::test]
async fn a_worker_that_was_stopped_past_its_visibility_comes_second() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    // With one slot, so that no receive is under way that could take the message once more.
    let stopped = deployment.worker(&[("BADLAMBDA_SLOTS", "1")]).await;
    fleet
        .create(
            "slow",
            "File.write('begun', ''); puts 'a log'; sleep 2; rand(10**9)",
            json!({"timeout_ms": 5000}),
        )
        .await;
    fleet.send(&json!({"function": "slow", "id": "order-1"}).to_string(), None).await;
    deployment.scratch.begun(1).await;
    stopped.process.signal(Signal::SIGSTOP);
    let _other = deployment.worker(&[]).await;
    let url = "/v1/functions/slow/executions/order-1";
    let first = fleet.finished(url).await;
    assert_eq!((&first["status"], &first["attempts"]), (&json!("succeeded"), &json!(2)), "{first}");
    stopped.process.signal(Signal::SIGCONT);
    // It publishes what it has, in vain, and drains.
    stopped.drain();
    let execution = fleet.finished(url).await;
    assert_eq!(execution["finished_at"], first["finished_at"]);
    fits(&deployment, &execution).await;
    assert_eq!(objects(&deployment, "slow", "order-1").await.len(), 3);
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn refused_writes_and_lost_answers_end_in_one_record_that_fits() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    // Each receive whose answer is lost is a lost attempt, and its messages are invisible for 10 s.
    let _worker = deployment.worker(&[("BADLAMBDA_MAX_ATTEMPTS", "9")]).await;
    fleet.create("chance", "puts 'a log'; rand(10**9)", json!({})).await;
    for plan in [
        Plan { refuse_every: 2, ..Plan::default() },
        Plan { lose_answer: 0.2, ..Plan::default() },
        Plan { throttle: 0.2, fail: 0.2, drop: 0.1, twice: 0.5, ..Plan::default() },
    ] {
        deployment.proxy.follow(plan.clone());
        let ids: Vec<String> = join_all((0..10).map(|_| sent(&deployment))).await;
        deployment.proxy.follow(Plan { twice: 0.0, ..plan });
        let executions = join_all(ids.iter().map(|id| finished_despite_faults(&deployment, id))).await;
        deployment.proxy.follow(Plan::default());
        for execution in executions {
            fits(&deployment, &execution).await;
        }
        fleet.queue_is_empty().await;
    }
}

/// Submits until it is accepted; answers the id.
async fn sent(deployment: &Deployment) -> String {
    let fleet = &deployment.fleet;
    let key = format!("{:x}", rand::random::<u64>());
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "it is not accepted");
        let submit = fleet.request(reqwest::Method::POST, "/v1/functions/chance/executions");
        let answer = submit.header("idempotency-key", &key).send().await.unwrap();
        if answer.status().is_success() {
            let execution: Value = answer.json().await.unwrap();
            return execution["id"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits as long as all attempts take, were all but the last lost.
async fn finished_despite_faults(deployment: &Deployment, id: &str) -> Value {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        let answer = deployment.fleet.get(&format!("/v1/functions/chance/executions/{id}")).await;
        let status = answer.status();
        let execution: Value = answer.json().await.unwrap();
        if status == 200 && (execution["status"] == "succeeded" || execution["status"] == "failed") {
            return execution;
        }
        assert!(Instant::now() < deadline, "{id} does not end: {status} {execution}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The record's result is what its URL leads to, and so are its logs.
async fn fits(deployment: &Deployment, execution: &Value) {
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let text = async |field: &str| {
        let url = execution[field].as_str().unwrap_or_else(|| panic!("no {field}: {execution}"));
        let answer = deployment.fleet.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{execution}");
        answer.text().await.unwrap()
    };
    assert_eq!(text("result_url").await, execution["result"].to_string());
    assert_eq!(text("logs_url").await, "a log\n");
}

/// The keys of an execution's objects.
#[tokio::test]
async fn a_record_that_cannot_be_read_gives_way() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("hello", "event", json!({})).await;
    let store = deployment.store();
    let (large, damaged) = (vec![b'x'; 3 << 20], b"{\"id\":".to_vec());
    let kept = [("large", &large), ("damaged", &damaged), ("large-too", &large), ("gone", &large)];
    for (id, bytes) in kept {
        let key = store.keys().record(&"hello".parse().unwrap(), &id.parse().unwrap());
        store.put(&key, bytes.clone(), JSON, Condition::Always).await.unwrap();
    }
    let url = |id| format!("/v1/functions/hello/executions/{id}");
    // Nobody has told of it yet, as far as anybody can read.
    assert_eq!(fleet.get(&url("gone")).await.status(), 404);
    let cancelled = fleet.request(Method::DELETE, &url("gone")).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    let _worker = deployment.worker(&[]).await;
    for id in ["large", "damaged"] {
        let envelope = json!({"function": "hello", "id": id, "input": 7});
        fleet.send(&envelope.to_string(), None).await;
        let execution = fleet.finished(&url(id)).await;
        assert_eq!(
            (&execution["status"], &execution["result"]),
            (&json!("succeeded"), &json!(7)),
            "{execution}"
        );
    }
    // One that can't be run ends all the same, and holds nothing up.
    fleet.send(&json!({"function": "hello", "version": 9, "id": "large-too"}).to_string(), None).await;
    assert_eq!(fleet.finished(&url("large-too")).await["error"]["kind"], "not_found");
    fleet.queue_is_empty().await;
}

async fn objects(deployment: &Deployment, function: &str, id: &str) -> Vec<String> {
    let store = deployment.store();
    let record = store.keys().record(&function.parse().unwrap(), &id.parse().unwrap());
    let folder = record.trim_end_matches("record.json");
    store.list(folder, None, 100).await.unwrap().keys
}
