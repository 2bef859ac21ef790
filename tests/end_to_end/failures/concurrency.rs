//! Reserved concurrency over two workers, of which one dies.

use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

const CAP: usize = 2;
const RUNS: usize = 30;

/// Tells when it began and ended, in milliseconds, and from the outside that it runs.
const TIMED: &str = "File.write('begun', ''); now = -> { Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond) }\n\
                     began = now.call; sleep(event.is_a?(String) ? 1.2 : 0.4); [began, now.call]";

async fn reserve(fleet: &Fleet, function: &str, executions: usize) {
    let path = format!("{}/2017-10-31/functions/{function}/concurrency", fleet.address("api"));
    let put = fleet.http.put(path).json(&json!({"ReservedConcurrentExecutions": executions}));
    assert_eq!(put.send().await.unwrap().status(), 200);
}

/// The most that ran at once.
fn most_at_once(spans: &[(u64, u64)]) -> usize {
    let at_once = |at: u64| spans.iter().filter(|(began, ended)| (*began..*ended).contains(&at)).count();
    spans.iter().map(|(began, _)| at_once(*began)).max().unwrap_or(0)
}

async fn span(fleet: &Fleet, url: &str) -> (u64, u64) {
    let execution = fleet.finished(url).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let time = |index: usize| execution["result"][index].as_u64().unwrap();
    (time(0), time(1))
}

#[tokio::test]
async fn no_more_run_at_once_than_are_reserved_though_a_worker_dies() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("capped", TIMED, json!({})).await;
    fleet.create("free", "event", json!({})).await;
    reserve(fleet, "capped", CAP).await;
    let slots = [("BADLAMBDA_SLOTS", "4")];
    let (first, second) = (deployment.worker(&slots).await, deployment.worker(&slots).await);
    let submits = (0..RUNS).map(|n| async move { fleet.submit("capped", &json!(n)).await });
    let urls = futures::future::join_all(submits).await;
    deployment.scratch.begun(CAP).await;

    // Another function's executions go past those that wait.
    let others = (0..3).map(|n| async move { fleet.execute("free", &json!(n)).await });
    for other in futures::future::join_all(others).await {
        assert_eq!(other["status"], "succeeded");
    }
    let waiting = futures::future::join_all(urls.iter().map(|url| fleet.get(url))).await;
    let mut queued = 0;
    for answer in waiting {
        queued += usize::from(answer.json::<Value>().await.unwrap()["status"] == "queued");
    }
    assert!(queued > 0, "none waits any more");

    first.kill();
    let spans = futures::future::join_all(urls.iter().map(|url| span(fleet, url))).await;
    // Until the dead one's share ends, there may be fewer.
    assert!(most_at_once(&spans) <= CAP, "{spans:?}");
    fleet.queue_is_empty().await;
    second.drain();
}

#[tokio::test]
async fn items_of_a_map_count_and_a_large_input_waits_as_well() {
    let fleet = Fleet::start().await;
    fleet.create("capped", TIMED, json!({})).await;
    reserve(&fleet, "capped", 1).await;
    let inputs = (0..6).map(|n| format!("{n}\n")).collect::<String>();
    let map = fleet.request(reqwest::Method::POST, "/v1/functions/capped/maps?chunk=3").body(inputs);
    let map: Value = map.send().await.unwrap().json().await.unwrap();
    // They run for longer than a message waits in a worker, and leave no room for a copy.
    let large = json!("x".repeat(1024 * 1024 - 200)).to_string();
    let mut ids = vec![];
    for _ in 0..3 {
        ids.push(fleet.send(&large, Some("capped")).await);
    }
    let mut spans = vec![];
    for id in ids {
        let url = format!("/v1/functions/capped/executions/{id}");
        spans.push(span(&fleet, &url).await);
        assert_eq!(fleet.finished(&url).await["attempts"], 1);
    }
    let url = map["url"].as_str().unwrap();
    crate::maps::until(&fleet, url, |map| map["status"] == "finished").await;
    let results = fleet.get(&format!("{url}/results")).await.text().await.unwrap();
    for line in results.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        let time = |index: usize| item["result"][index].as_u64().unwrap();
        spans.push((time(0), time(1)));
    }
    assert_eq!((spans.len(), most_at_once(&spans)), (9, 1), "{spans:?}");
}
