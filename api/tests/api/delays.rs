//! Executions that are to begin later.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{Api, send};

#[tokio::test]
async fn a_delayed_execution_is_queued_and_no_worker_has_it() {
    let api = Api::start().await;
    api.create_hello().await;
    let accepted = api.post("/v1/functions/hello/executions?delay=900", json!(1)).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let depth = api.queue.depth().await.unwrap();
    assert_eq!((depth.visible, depth.delayed), (0, 1));
    // Who waits for it is told in time that it still is.
    let poll = api.request(Method::GET, accepted.json()["url"].as_str().unwrap()).header("prefer", "wait=1");
    let began_at = Instant::now();
    let polled = send(poll).await;
    assert_eq!((polled.status, &polled.json()["status"]), (StatusCode::OK, &json!("queued")));
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&began_at.elapsed()));
}

#[tokio::test]
async fn a_delay_that_cannot_be_is_refused() {
    let api = Api::start().await;
    api.create_hello().await;
    for (delay, expected) in [
        ("901", (422, "invalid_field")),
        ("18446744073709551615", (422, "invalid_field")),
        ("-1", (400, "invalid_query")),
        ("soon", (400, "invalid_query")),
        ("1.5", (400, "invalid_query")),
    ] {
        let refused = api.post(&format!("/v1/functions/hello/executions?delay={delay}"), json!(1)).await;
        assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()), "{delay}");
    }
}

#[tokio::test]
async fn another_delay_is_another_request() {
    let api = Api::start().await;
    api.create_hello().await;
    let submit = async |delay: u64| {
        let path = format!("/v1/functions/hello/executions?delay={delay}");
        send(api.request(Method::POST, &path).header("idempotency-key", "k").json(&1)).await
    };
    let first = submit(600).await;
    assert_eq!(submit(600).await.json(), first.json());
    assert_eq!(submit(60).await.problem(), (422, "idempotency_key_reused".to_owned()));
}
