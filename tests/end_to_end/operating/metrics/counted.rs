//! Fleets at work, and what they tell of it.

use badlambda_tests::faults::Plan;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::deployment::{Deployment, Worker};
use crate::fixtures::fleet::Fleet;
use crate::operating::metrics::exposition::Scrape;

/// What a program tells, as text.
async fn text_of(fleet: &Fleet, url: &str) -> String {
    let answer = fleet.http.get(format!("{url}/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

async fn scrape(fleet: &Fleet, url: &str) -> Scrape {
    Scrape::read(&text_of(fleet, url).await)
}

/// Counts are 0 before anything has happened, so that the first step is one that a rate sees.
async fn nothing_has_happened(fleet: &Fleet, worker: &Worker) {
    let text = text_of(fleet, &worker.admin).await;
    for line in [
        "badlambda_worker_leases_lost_total 0\n",
        "badlambda_worker_retries_total{reason=\"lost\"} 0\n",
        "badlambda_worker_dead_letters_total{reason=\"not_found\"} 0\n",
        "badlambda_worker_kills_total{cause=\"timeout\"} 0\n",
        "badlambda_worker_slots 2\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

/// Runs some of everything, and returns the ids that nothing may tell.
async fn work(fleet: &Fleet) -> Vec<String> {
    for (name, code, config) in [
        ("fine", "1", json!({})),
        ("raises", "raise 'no'", json!({})),
        ("slow", "sleep", json!({"timeout_ms": 100})),
        ("loaded", "X = 1\ndef handler(event:, context:)\n  X\nend", json!({})),
    ] {
        fleet.create(name, code, config).await;
    }
    let names = ["fine", "fine", "raises", "slow", "loaded"];
    let submits = names.map(|name| async move { fleet.execute(name, &Value::Null).await });
    let executions = futures::future::join_all(submits).await;
    let mut ids: Vec<String> =
        executions.iter().map(|execution| execution["id"].as_str().unwrap().to_owned()).collect();
    ids.push(fleet.send("null", Some("nobody")).await);
    assert_eq!(fleet.dead_letter().await.0, "null");
    // Both messages are run, and one record is refused.
    let twice = json!({"function": "fine", "id": "the-same-twice", "input": null}).to_string();
    fleet.send(&twice, None).await;
    fleet.send(&twice, None).await;
    fleet.queue_is_empty().await;
    ids.push("the-same-twice".to_owned());
    ids
}

#[tokio::test]
async fn what_happens_is_counted() {
    let deployment = Deployment::start().await;
    let worker = deployment.worker(&[]).await;
    let fleet = &deployment.fleet;
    nothing_has_happened(fleet, &worker).await;
    let ids = work(fleet).await;
    assert_eq!(fleet.get("/nowhere").await.status(), 404);

    let (api, run) = (text_of(fleet, fleet.address("api")).await, text_of(fleet, &worker.admin).await);
    for id in &ids {
        assert!(!api.contains(id) && !run.contains(id), "{id} is told");
    }
    let (api, run) = (Scrape::read(&api), Scrape::read(&run));
    assert!(!run.0.iter().any(|sample| sample.name.starts_with("badlambda_api_")), "{run:?}");
    worker_has_counted(&run);
    api_has_counted(&api);
}

fn worker_has_counted(run: &Scrape) {
    let ended = |function, outcome, kind| {
        let labels = [("function", function), ("outcome", outcome), ("kind", kind)];
        run.value("badlambda_worker_executions_total", &labels)
    };
    assert_eq!(ended("fine", "succeeded", "none"), 3.0, "of four attempts, since one came second");
    assert_eq!(ended("loaded", "succeeded", "none"), 1.0);
    assert_eq!(ended("raises", "failed", "exception"), 1.0);
    assert_eq!(ended("slow", "failed", "timeout"), 1.0);
    assert_eq!(ended("other", "failed", "not_found"), 1.0, "a name that was made up is none of the label's");
    assert_eq!(run.value("badlambda_worker_dead_letters_total", &[("reason", "not_found")]), 1.0);
    assert_eq!(run.value("badlambda_worker_kills_total", &[("cause", "timeout")]), 1.0);
    assert_eq!(run.value("badlambda_worker_template_loads_total", &[("result", "loaded")]), 1.0);
    assert_eq!(run.value("badlambda_worker_forks_total", &[("parent", "template")]), 1.0);
    assert!(run.value("badlambda_worker_forks_total", &[("parent", "zygote")]) >= 6.0);
    for (name, count) in [("fine", 3.0), ("raises", 1.0), ("loaded", 1.0)] {
        assert_eq!(run.value("badlambda_worker_queue_wait_seconds_count", &[("function", name)]), count);
    }
    assert!(run.value("badlambda_worker_run_duration_seconds_sum", &[("function", "slow")]) >= 0.1);
    assert!(run.value("badlambda_worker_store_duration_seconds_count", &[]) >= 6.0);
    assert!(run.value("badlambda_worker_index_lag_seconds_count", &[]) >= 7.0);
    for (gauge, value) in [
        ("slots", 2.0),
        ("slots_busy", 0.0),
        ("messages_held", 0.0),
        ("messages_prefetched", 0.0),
        ("index_lines_waiting", 0.0),
        ("templates", 1.0),
    ] {
        assert_eq!(run.value(&format!("badlambda_worker_{gauge}"), &[]), value, "{gauge}");
    }
    let requests = |operation, result| {
        run.value("badlambda_aws_requests_total", &[("operation", operation), ("result", result)])
    };
    assert!(requests("PutObject", "ok") >= 6.0 && requests("DeleteMessageBatch", "ok") >= 1.0);
    assert!(requests("PutObject", "412") >= 1.0, "the second record of an execution is refused");
    assert!(run.value("badlambda_aws_request_duration_seconds_count", &[("operation", "PutObject")]) >= 6.0);
    assert!(run.value("badlambda_aws_batch_messages_sum", &[("operation", "ReceiveMessage")]) >= 8.0);
    assert!(run.value("badlambda_manifest_reads_total", &[]) >= 1.0);
}

fn api_has_counted(api: &Scrape) {
    let answered = |method, route, status| {
        let labels = [("method", method), ("route", route), ("status", status)];
        let requests = api.value("badlambda_api_http_requests_total", &labels);
        assert_eq!(requests, api.value("badlambda_api_http_request_duration_seconds_count", &labels));
        requests
    };
    assert_eq!(answered("POST", "/v1/functions", "201"), 4.0);
    assert_eq!(answered("POST", "/v1/functions/{function}/executions", "202"), 5.0);
    assert!(answered("GET", "/v1/functions/{function}/executions/{id}", "200") >= 5.0);
    assert_eq!(answered("GET", "other", "404"), 1.0);
    assert_eq!(api.value("badlambda_api_problems_total", &[("type", "not_found")]), 1.0);
    assert_eq!(api.value("badlambda_api_submits_total", &[("function", "fine")]), 2.0);
    assert_eq!(api.value("badlambda_api_waits", &[]), 0.0);
    let sent = [("operation", "SendMessageBatch")];
    assert_eq!(api.value("badlambda_aws_batch_messages_sum", &sent), 5.0);
}

#[tokio::test]
async fn a_retry_is_counted_and_each_of_its_attempts() {
    let deployment = Deployment::start().await;
    let worker = deployment.worker(&[]).await;
    let fleet = &deployment.fleet;
    fleet.create("again", "raise 'no'", json!({"retries": 1})).await;
    assert_eq!(fleet.execute("again", &Value::Null).await["attempts"], 2);
    fleet.queue_is_empty().await;
    let run = scrape(fleet, &worker.admin).await;
    let again = [("function", "again")];
    assert_eq!(run.value("badlambda_worker_retries_total", &[("reason", "failed")]), 1.0);
    assert_eq!(run.value("badlambda_worker_run_duration_seconds_count", &again), 2.0);
    assert_eq!(run.value("badlambda_worker_queue_wait_seconds_count", &again), 1.0);
}

#[tokio::test]
async fn a_hundred_functions_have_series_of_their_own_and_the_rest_share_one() {
    let deployment = Deployment::start().await;
    let worker = deployment.worker(&[]).await;
    let fleet = &deployment.fleet;
    let names: Vec<String> = (0..150).map(|n| format!("f{n}")).collect();
    for name in &names {
        fleet.create(name, "1", json!({})).await;
    }
    let submits = names.iter().map(|name| fleet.submit(name, &Value::Null));
    futures::future::join_all(submits).await;
    fleet.queue_is_empty().await;
    for url in [fleet.address("api"), &worker.admin] {
        let told = scrape(fleet, url).await;
        let functions = told.label_values("function");
        assert_eq!((functions.len(), functions.contains("other")), (101, true), "{url}");
    }
    let ended = scrape(fleet, &worker.admin).await;
    let all: f64 = ended
        .0
        .iter()
        .filter(|sample| sample.name == "badlambda_worker_executions_total")
        .map(|sample| sample.value)
        .sum();
    assert_eq!(all, 150.0);
}

#[tokio::test]
async fn one_process_tells_what_all_of_it_counts() {
    let data = TempDir::new().unwrap();
    let fleet = Fleet::over(data.path(), &[]).await;
    fleet.create("fine", "1", json!({})).await;
    assert_eq!(fleet.execute("fine", &Value::Null).await["result"], 1);
    fleet.queue_is_empty().await;
    let told = scrape(&fleet, fleet.address("api")).await;
    let fine = [("function", "fine")];
    assert_eq!(told.value("badlambda_api_submits_total", &fine), 1.0);
    assert_eq!(told.value("badlambda_worker_run_duration_seconds_count", &fine), 1.0);
    assert_eq!(told.value("badlambda_worker_slots", &[]), 4.0);
}

#[tokio::test]
async fn what_aws_refuses_is_counted_each_attempt_by_itself() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    deployment.proxy.follow(Plan { s3_is_down: true, ..Plan::default() });
    assert_eq!(fleet.get("/v1/functions/nobody").await.status(), 503);
    deployment.proxy.follow(Plan::default());
    assert_eq!(fleet.get("/v1/functions/nobody").await.status(), 404);
    let api = scrape(fleet, fleet.address("api")).await;
    let looks = |result| {
        let labels = [("operation", "GetObject"), ("result", result)];
        api.value("badlambda_aws_requests_total", &labels)
    };
    assert_eq!((looks("500"), looks("404"), looks("ok")), (3.0, 1.0, 0.0), "the SDK tries three times");
    assert_eq!(api.value("badlambda_api_problems_total", &[("type", "unavailable")]), 1.0);
}
