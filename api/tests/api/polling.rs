//! Polling, waiting, and fetching what an execution left.

use std::time::{Duration, Instant, SystemTime};

use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::timestamp::Timestamp;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Api, send};

const MESSAGE_ID: &str = "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11";

fn path(execution: &Value) -> &str {
    execution["url"].as_str().unwrap()
}

#[tokio::test]
async fn an_issued_id_is_queued_and_a_forged_one_unknown() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    let queued = api.get(path(&execution)).await;
    assert_eq!((queued.status, &queued.json()["status"]), (StatusCode::OK, &json!("queued")));
    assert_eq!(queued.headers["retry-after"], "1");
    assert_eq!(
        queued.json()["submitted_at"].as_str().unwrap()[..19],
        execution["submitted_at"].as_str().unwrap()[..19]
    );

    let of_another = ExecutionId::issue(&"other".parse().unwrap());
    for unknown in [of_another.as_str(), "a.b", "a%2fb"] {
        let answer = api.get(&format!("/v1/functions/hello/executions/{unknown}")).await;
        assert_eq!(answer.problem(), (404, "execution_not_found".to_owned()), "{unknown}");
        assert!(!answer.headers.contains_key("retry-after"));
    }
    let foreign = api.get(&format!("/v1/functions/hello/executions/{MESSAGE_ID}")).await;
    assert_eq!(foreign.problem(), (404, "execution_not_found".to_owned()));
    assert_eq!(foreign.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_record_is_shown_without_what_is_internal() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    api.write_record(&execution, json!({ "status": "running", "attempts": 1 })).await;
    let running = api.get(path(&execution)).await;
    assert_eq!(
        (&running.json()["status"], running.headers["retry-after"].as_str()),
        (&json!("running"), "1")
    );
    let not_yet = api.get(&format!("{}/result", path(&execution))).await;
    assert_eq!(not_yet.problem(), (409, "not_finished".to_owned()));

    let error = json!({ "kind": "exception", "type": "KeyError", "message": "m", "backtrace": [] });
    let failed = json!({ "status": "failed", "attempts": 1, "error": error });
    api.write_record(&execution, failed).await;
    let polled = api.get(path(&execution)).await;
    assert_eq!((polled.status, &polled.json()["error"]), (StatusCode::OK, &error));
    assert!(!polled.headers.contains_key("retry-after"));
    let no_result = api.get(&format!("{}/result", path(&execution))).await;
    assert_eq!(no_result.problem(), (404, "no_result".to_owned()));
    let no_logs = api.get(&format!("{}/logs", path(&execution))).await;
    assert_eq!(no_logs.problem(), (404, "no_logs".to_owned()));
}

/// Stores a result and a record that names it, whose URLs end at `expiry`.
async fn finish(api: &Api, execution: &Value, expiry: &str) {
    let id: ExecutionId = execution["id"].as_str().unwrap().parse().unwrap();
    let key = api.store.keys().result(&"hello".parse().unwrap(), &id);
    api.store.put(&key, b"{\"n\":1}".to_vec(), JSON, Condition::Always).await.unwrap();
    let changes = json!({
        "status": "succeeded", "result": { "n": 1 }, "result_key": key, "result_bytes": 7,
        "result_url": "https://example.invalid/stale", "urls_expire_at": expiry
    });
    api.write_record(execution, changes).await;
}

#[tokio::test]
async fn a_result_is_fetched_without_credentials() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    finish(&api, &execution, "2020-01-01T00:00:00.000Z").await;
    let redirect = api.get(&format!("{}/result", path(&execution))).await;
    assert_eq!(redirect.status, StatusCode::SEE_OTHER, "{redirect:?}");
    let fetched = Client::new().get(&redirect.headers["location"]).send().await.unwrap();
    assert_eq!(fetched.status(), StatusCode::OK);
    assert_eq!(fetched.headers()["content-type"], "application/json");
    assert_eq!(fetched.text().await.unwrap(), "{\"n\":1}");
    let itself = api.get(&format!("{}/result?redirect=false", path(&execution))).await;
    let expected = (StatusCode::OK, "application/json", "{\"n\":1}");
    assert_eq!((itself.status, itself.headers["content-type"].as_str(), itself.text.as_str()), expected);

    let polled = api.get(path(&execution)).await.json();
    assert!(polled.get("result_key").is_none() && polled.get("logs_key").is_none(), "{polled}");
    assert!(polled["urls_expire_at"].as_str().unwrap() > "2021", "{polled}");
    let fetched = Client::new().get(polled["result_url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(fetched.text().await.unwrap(), "{\"n\":1}");
}

#[tokio::test]
async fn a_large_result_is_fetched_without_a_redirect() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    finish(&api, &execution, "2999-01-01T00:00:00.000Z").await;
    let id: ExecutionId = execution["id"].as_str().unwrap().parse().unwrap();
    let key = api.store.keys().result(&"hello".parse().unwrap(), &id);
    // Several pieces, the last of which is a whole one, and then another.
    for bytes in [1024 * 1024 - 2, 600_000, 0] {
        let stored = format!("\"{}\"", "x".repeat(bytes));
        api.store.put(&key, stored.clone().into_bytes(), JSON, Condition::Always).await.unwrap();
        let itself = api.get(&format!("{}/result?redirect=false", path(&execution))).await;
        assert!(itself.text == stored, "{} of {} bytes", itself.text.len(), stored.len());
    }
    assert_eq!(api.get(&format!("{}/result?redirect=maybe", path(&execution))).await.problem().0, 400);
}

#[tokio::test]
async fn urls_that_still_work_are_left_alone() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    finish(&api, &execution, "2999-01-01T00:00:00.000Z").await;
    assert_eq!(api.get(path(&execution)).await.json()["result_url"], "https://example.invalid/stale");
}

#[tokio::test]
async fn waiting_ends_with_the_execution() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    let poll = send(api.request(Method::GET, path(&execution)).header("prefer", "wait=30"));
    let work = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        api.write_record(&execution, json!({ "status": "succeeded" })).await;
        Instant::now()
    };
    let ((polled, seen_at), finished_at) = tokio::join!(async { (poll.await, Instant::now()) }, work);
    assert_eq!((polled.status, &polled.json()["status"]), (StatusCode::OK, &json!("succeeded")));
    assert_eq!(polled.headers["preference-applied"], "wait=30");
    let late = seen_at.duration_since(finished_at);
    assert!(late < Duration::from_millis(500), "{late:?}");
}

#[tokio::test]
async fn waiting_ends_when_it_was_to_end() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    let started_at = Instant::now();
    let polled = send(api.request(Method::GET, path(&execution)).header("prefer", "wait=1")).await;
    assert_eq!((&polled.json()["status"], polled.headers["retry-after"].as_str()), (&json!("queued"), "1"));
    assert!(started_at.elapsed() >= Duration::from_secs(1));

    let submit = api.request(Method::POST, "/v1/functions/hello/executions").header("prefer", "wait=1");
    let accepted = send(submit.json(&json!(1))).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    assert_eq!(accepted.headers["preference-applied"], "wait=1");
}

#[tokio::test]
async fn a_submit_that_waits_is_answered_with_the_finished_execution() {
    let api = Api::start().await;
    api.create_hello().await;
    let submit = api.request(Method::POST, "/v1/functions/hello/executions").header("prefer", "wait=30");
    let work = async {
        let message = api.messages(1).await.remove(0);
        let id: ExecutionId = message["id"].as_str().unwrap().parse().unwrap();
        let execution = api.get(&format!("/v1/functions/hello/executions/{id}")).await.json();
        api.write_record(&execution, json!({ "status": "succeeded", "result": [1] })).await;
    };
    let (answer, ()) = tokio::join!(send(submit.json(&json!(1))), work);
    assert_eq!((answer.status, &answer.json()["result"]), (StatusCode::OK, &json!([1])), "{answer:?}");
}

#[tokio::test]
async fn a_foreign_execution_is_waited_for_until_a_worker_has_it() {
    let api = Api::start().await;
    api.create_hello().await;
    let mut execution = api.submit_hello().await;
    execution["id"] = json!(MESSAGE_ID);
    let poll = api.request(Method::GET, &format!("/v1/functions/hello/executions/{MESSAGE_ID}"));
    let work = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        api.write_record(&execution, json!({ "status": "failed" })).await;
    };
    let (polled, ()) = tokio::join!(send(poll.header("prefer", "wait=30")), work);
    assert_eq!((polled.status, &polled.json()["status"]), (StatusCode::OK, &json!("failed")));
}

#[tokio::test]
async fn what_outlived_the_queue_has_expired_and_stays_so() {
    let api = Api::start().await;
    api.create_hello().await;
    let days_ago = |days: u64| {
        let moment = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        ExecutionId::issue_at(&"hello".parse().unwrap(), moment.into())
    };
    // The queue keeps messages for 14 days, and a worker may hold one a little longer.
    let queued = api.get(&format!("/v1/functions/hello/executions/{}", days_ago(14))).await;
    assert_eq!(queued.json()["status"], "queued");
    let old = days_ago(16);
    let url = format!("/v1/functions/hello/executions/{old}");
    let expired = api.get(&url).await.json();
    assert_eq!((&expired["status"], &expired["error"]["kind"]), (&json!("failed"), &json!("expired")));
    assert!(expired["error"]["message"].as_str().unwrap().contains("14.0 days"), "{expired}");
    assert_eq!(api.get(&url).await.json(), expired);
    // A read writes nothing.
    assert!(!api.has_record(&old).await);
}

#[tokio::test]
async fn an_id_that_looks_issued_is_404_where_there_is_no_such_function() {
    let api = Api::start().await;
    let made_up = ExecutionId::issue(&"nowhere".parse().unwrap());
    let poll = api.request(Method::GET, &format!("/v1/functions/nowhere/executions/{made_up}"));
    let polled = send(poll.header("prefer", "wait=30")).await;
    assert_eq!(polled.problem(), (404, "function_not_found".to_owned()));
}

#[tokio::test]
async fn what_ran_when_its_message_was_lost_for_good_has_expired() {
    let api = Api::start().await;
    api.create_hello().await;
    // Its id is SQS's, and tells no time.
    let mut execution = api.submit_hello().await;
    let url = path(&execution).replace(execution["id"].as_str().unwrap(), MESSAGE_ID);
    (execution["id"], execution["url"]) = (json!(MESSAGE_ID), json!(url));
    let long_ago: Timestamp = (SystemTime::now() - Duration::from_secs(16 * 24 * 3600)).into();
    let running = |at: Timestamp| json!({ "status": "running", "attempts": 1, "started_at": at });
    api.write_record(&execution, running(Timestamp::now())).await;
    assert_eq!(api.get(path(&execution)).await.json()["status"], "running");
    api.write_record(&execution, running(long_ago)).await;
    assert_eq!(api.get(path(&execution)).await.json()["error"]["kind"], "expired");
}
