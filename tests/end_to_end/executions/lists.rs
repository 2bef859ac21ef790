//! What ended is listed, whatever dies; what runs is listed while it does.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use badlambda_shared::aws::store::Store;
use badlambda_shared::index::{Hour, Line, compact::compact, store_lines};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::elsewhere::configured;
use crate::fixtures::fleet::{Fleet, PATIENCE};

#[tokio::test]
async fn what_ended_is_listed_newest_first_and_filtered() {
    let fleet = Fleet::start().await;
    fleet.create("good", "event", json!({})).await;
    fleet.create("bad", "event == 1 ? raise('oh no') : exit!(3)", json!({})).await;
    for n in 0..5 {
        fleet.execute("good", &json!(n)).await;
    }
    let raised = fleet.execute("bad", &json!(1)).await;
    let crashed = fleet.execute("bad", &json!(2)).await;
    let all = listed(&fleet, "/v1/executions", 7).await;
    let results: Vec<_> = all.iter().map(|execution| execution["result"].clone()).collect();
    assert_eq!(results, [json!(null), json!(null), json!(4), json!(3), json!(2), json!(1), json!(0)]);
    let (newest, failed) = (&all[0], &all[1]);
    for field in [
        "id",
        "function",
        "version",
        "status",
        "url",
        "submitted_at",
        "started_at",
        "finished_at",
        "attempts",
        "usage",
    ] {
        assert_eq!(newest[field], crashed[field], "{field}");
    }
    let expected = json!({"kind": "exception", "message": raised["error"]["message"]});
    assert_eq!(failed["error"], expected);

    let ids = async |query: &str| -> Vec<Value> {
        let page = page(&fleet, query).await;
        page["executions"].as_array().unwrap().iter().map(|execution| execution["id"].clone()).collect()
    };
    assert_eq!(ids("/v1/functions/bad/executions").await, [crashed["id"].clone(), raised["id"].clone()]);
    assert_eq!(ids("/v1/executions?kind=crash").await, [crashed["id"].clone()]);
    assert_eq!(ids("/v1/executions?status=failed&limit=1").await, [crashed["id"].clone()]);
    assert_eq!(ids("/v1/executions?status=succeeded&version=1&since=1h").await.len(), 5);
    assert!(ids("/v1/executions?version=2").await.is_empty());
    assert!(ids("/v1/executions?until=1h").await.is_empty());
    assert!(ids("/v1/executions?status=running").await.is_empty());
    let since = format!("/v1/executions?since={}", raised["finished_at"].as_str().unwrap());
    assert_eq!(ids(&since).await.len(), 2);

    // Page by page it is the same list.
    let mut pages = vec![];
    let mut next = String::new();
    loop {
        let page = page(&fleet, &format!("/v1/executions?limit=2{next}")).await;
        pages.extend(page["executions"].as_array().unwrap().clone());
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(pages, all);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused() {
    let fleet = Fleet::start().await;
    for query in [
        "status=queued",
        "status=x",
        "kind=x",
        "limit=0",
        "limit=1001",
        "since=x",
        "until=5",
        "cursor=x",
        "version=x",
        "colour=red",
    ] {
        let answer = fleet.get(&format!("/v1/executions?{query}")).await;
        assert!([400, 422].contains(&answer.status().as_u16()), "{query}: {}", answer.status());
    }
    assert_eq!(fleet.get("/v1/functions/nobody/executions").await.status(), 404);
}

#[tokio::test]
async fn cancelled_and_dead_lettered_executions_are_listed() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("hello", "event", json!({})).await;
    let cancelled = fleet.submit("hello", &json!(1)).await;
    assert_eq!(fleet.request(Method::DELETE, &cancelled).send().await.unwrap().status(), 202);
    fleet.send(&json!({"function": "nobody", "id": "order-1"}).to_string(), None).await;
    let _worker = deployment.worker(&[]).await;
    let all = listed(fleet, "/v1/executions", 2).await;
    let statuses: HashSet<_> = all.iter().map(|execution| execution["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["cancelled", "failed"].into());
    let dead = all.iter().find(|execution| execution["id"] == "order-1").unwrap();
    assert_eq!(dead["error"]["kind"], "not_found");
}

#[tokio::test]
async fn what_runs_is_listed_until_it_ends_or_its_lease_does() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let worker = deployment.worker(&[]).await;
    fleet.create("slow", "sleep event; event", json!({"timeout_ms": 60_000})).await;
    let short = fleet.submit("slow", &json!(8)).await;
    let long = fleet.submit("slow", &json!(50)).await;
    let running = async || {
        let page = page(fleet, "/v1/executions?status=running").await;
        let urls = page["executions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|execution| execution["url"].as_str().unwrap().to_owned());
        urls.collect::<HashSet<_>>()
    };
    until(async || running().await == HashSet::from([short.clone(), long.clone()])).await;
    let first = page(fleet, "/v1/executions?limit=1").await["executions"][0].clone();
    assert_eq!((&first["status"], &first["finished_at"]), (&json!("running"), &json!(null)), "{first}");
    fleet.finished(&short).await;
    until(async || running().await == HashSet::from([long.clone()])).await;
    worker.kill();
    assert_eq!(running().await, HashSet::from([long.clone()]), "the lease has not ended");
    until(async || running().await.is_empty()).await;
}

#[tokio::test]
async fn whatever_has_finished_is_listed_once_though_workers_are_killed() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("hello", "sleep 0.02; event", json!({})).await;
    let mut worker = deployment.worker(&[]).await;
    let submitted: Vec<String> = join_all((0..150).map(|n| submit(fleet, n))).await;
    // At any instant: while they run, while their lines wait for a segment, before and after messages are deleted.
    for pause in [300, 900, 2500, 1700, 3300] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        worker.kill();
        worker = deployment.worker(&[]).await;
    }
    join_all(submitted.iter().map(|url| fleet.finished(url))).await;
    let all = listed(fleet, "/v1/executions?limit=1000", submitted.len()).await;
    let urls: HashSet<_> = all.iter().map(|execution| execution["url"].as_str().unwrap()).collect();
    assert_eq!(urls, submitted.iter().map(String::as_str).collect());
    fleet.queue_is_empty().await;
    drop(worker);
}

#[tokio::test]
async fn an_hour_is_compacted_into_the_same_list() {
    let deployment = Deployment::start().await;
    let (fleet, store) = (&deployment.fleet, deployment.store());
    let hour = Hour::now().before(30);
    let copies = |range: std::ops::Range<i64>| -> Vec<Line> {
        range.map(|n| Line { at_ms: hour.begins_at_ms() + n, ..line(&format!("m-{n}")) }).collect()
    };
    // Overlapping in time, and some of them twice, as after a crash between a segment and its deletes.
    for part in [0..40, 20..60, 59..100] {
        store_lines(&store, copies(part)).await.unwrap();
    }
    let before = listed(fleet, "/v1/executions?limit=1000", 100).await;
    let (one, other) = tokio::join!(compact(&store, hour), compact(&store, hour));
    one.unwrap();
    other.unwrap();
    compact(&store, hour).await.unwrap();
    assert_eq!(compact(&store, hour).await.unwrap(), (1, 1));
    assert_eq!(listed(fleet, "/v1/executions?limit=1000", 100).await, before);
    let ends: Vec<_> = before.iter().map(|execution| execution["finished_at"].as_str().unwrap()).collect();
    assert!(ends.is_sorted_by(|one, next| one >= next));
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_from_the_records() {
    let deployment = Deployment::start().await;
    let (fleet, store) = (&deployment.fleet, deployment.store());
    let worker = deployment.worker(&[]).await;
    fleet.create("hello", "event > 2 ? raise('no') : event", json!({})).await;
    for n in 0..5 {
        fleet.execute("hello", &json!(n)).await;
    }
    let before = listed(fleet, "/v1/executions", 5).await;
    worker.drain();
    for key in index_of(&store).await {
        store.delete(&key).await.unwrap();
    }
    until(async || page(fleet, "/v1/executions").await["executions"].as_array().unwrap().is_empty()).await;
    for _ in 0..2 {
        let mut command = configured("badlambda-worker", &fleet.addresses);
        let output = command.arg("rebuild-index").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "5 executions are listed\n", "{output:?}");
    }
    assert_eq!(listed(fleet, "/v1/executions", 5).await, before);
}

#[tokio::test]
async fn stats_count_what_ended_once_and_what_waits() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let worker = deployment.worker(&[]).await;
    fleet.create("stats", "event == 3 ? raise('no') : event", json!({})).await;
    for n in 0..4 {
        fleet.execute("stats", &json!(n)).await;
    }
    let stats = async || page(fleet, "/v1/stats").await;
    let sum = |periods: &Value, field: &str| -> u64 {
        periods.as_array().unwrap().iter().map(|period| period[field].as_u64().unwrap()).sum()
    };
    until(async || sum(&stats().await["minutes"], "succeeded") == 3).await;
    let all = stats().await;
    assert_eq!(all["minutes"].as_array().unwrap().len(), 15);
    assert_eq!(sum(&all["minutes"], "failed"), 1);
    let ran = all["minutes"].as_array().unwrap().iter().find(|minute| !minute["run_ms"].is_null()).unwrap();
    assert!(ran["wait_ms"]["p50"].as_f64().unwrap() <= ran["wait_ms"]["p99"].as_f64().unwrap(), "{ran}");
    let of_function = page(fleet, "/v1/functions/stats/stats").await;
    assert_eq!(of_function["periods"].as_array().unwrap().len(), 12);
    let version = &of_function["versions"][0];
    assert_eq!(
        (&version["version"], &version["succeeded"], &version["kinds"]),
        (&json!(1), &json!(3), &json!({"exception": 1}))
    );
    fleet.queue_is_empty().await;
    let sample = &all["samples"][0];
    assert!(sample["at"].is_string() && sample["visible"].is_u64(), "{all}");
    until(async || stats().await["workers"] == 1).await;
    worker.drain();
    until(async || stats().await["workers"] == 0).await;
    fleet.submit("stats", &json!(5)).await;
    until(async || stats().await["queue"]["visible"] == 1).await;
    assert_eq!(fleet.get("/v1/functions/nobody/stats").await.status(), 404);
}

async fn page(fleet: &Fleet, path: &str) -> Value {
    let answer = fleet.get(path).await;
    let (status, body) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// The executions of a list, once there are so many. None may be there twice.
async fn listed(fleet: &Fleet, path: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = page(fleet, path).await;
        let executions = page["executions"].as_array().unwrap();
        let mut by_id = BTreeMap::<&str, usize>::new();
        executions
            .iter()
            .for_each(|execution| *by_id.entry(execution["id"].as_str().unwrap()).or_default() += 1);
        assert!(by_id.values().all(|&times| times == 1), "{by_id:?}");
        if executions.len() == count {
            return executions.clone();
        }
        assert!(Instant::now() < deadline, "{} are listed, and not {count}", executions.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn until(holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it never holds");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn index_of(store: &Store) -> Vec<String> {
    store.list_below(&store.keys().index(), None, 1000).await.unwrap().keys
}

fn line(id: &str) -> Line {
    let line = json!({"id": id, "function": "hello", "status": "succeeded", "submitted_ms": 0, "at_ms": 0, "attempts": 1});
    serde_json::from_value(line).unwrap()
}

async fn submit(fleet: &Fleet, n: usize) -> String {
    fleet.submit("hello", &json!(n)).await
}
