//! Starting, probes, and stopping.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{Api, send};

#[tokio::test]
async fn probes_tell_life_from_readiness() {
    let api = Api::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = api.get(path).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "status": "ok" })), "{path}");
    }
}

#[tokio::test]
async fn without_a_bucket_it_lives_but_is_not_ready() {
    let api = Api::start_with(&[("BADLAMBDA_BUCKET", "no-such-bucket-anywhere")]).await;
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
    let not_ready = api.get("/readyz").await;
    assert_eq!(not_ready.problem(), (503, "unavailable".to_owned()));
    assert!(not_ready.headers.contains_key("retry-after"));
    assert!(!not_ready.text.contains("no-such-bucket"), "{not_ready:?}");
}

#[tokio::test]
async fn a_soft_stop_answers_who_waits_and_ends() {
    let api = Api::start().await;
    api.create_hello().await;
    let execution = api.submit_hello().await;
    let poll = api.request(Method::GET, execution["url"].as_str().unwrap()).header("prefer", "wait=50");
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        api.shutdown.soft.cancel();
        Instant::now()
    };
    let (polled, stopped_at) = tokio::join!(send(poll), stop);
    assert_eq!((polled.status, &polled.json()["status"]), (StatusCode::OK, &json!("queued")));
    tokio::time::timeout(Duration::from_secs(5), api.running).await.expect("it hangs").unwrap().unwrap();
    assert!(stopped_at.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_hard_stop_waits_for_nobody() {
    let api = Api::start().await;
    // A request that never ends.
    let stalled = tokio::net::TcpStream::connect(api.url.trim_start_matches("http://")).await.unwrap();
    stalled
        .try_write(b"POST /v1/functions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{")
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    api.shutdown.soft.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!api.running.is_finished());
    api.shutdown.hard.cancel();
    tokio::time::timeout(Duration::from_secs(2), api.running).await.expect("it hangs").unwrap().unwrap();
}
