//! Presigned URLs: plain curl reads them, nobody else's key or clock does.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::fixtures::fleet::Fleet;

/// The HTTP status and the body that curl gets.
async fn curl(url: &str) -> (String, String) {
    let url = url.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        Command::new("curl")
            .args(["--silent", "--noproxy", "*", "--write-out", "\n%{http_code}", &url])
            .output()
            .unwrap()
    });
    let text = String::from_utf8(output.await.unwrap().stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

#[tokio::test]
async fn curl_reads_result_and_logs_and_a_tampered_url_is_refused() {
    let fleet = Fleet::start().await;
    fleet.create("hello", "puts 'logged'; event", json!({})).await;
    let execution = fleet.execute("hello", &json!({"a": [1.50, "é"]})).await;
    let (result_url, logs_url) =
        (execution["result_url"].as_str().unwrap(), execution["logs_url"].as_str().unwrap());
    assert_eq!(curl(result_url).await, ("200".to_owned(), "{\"a\":[1.5,\"é\"]}".to_owned()));
    assert_eq!(curl(logs_url).await, ("200".to_owned(), "logged\n".to_owned()));
    assert_eq!(curl(&result_url.replace("/result.json", "/record.json")).await.0, "403");
    assert_eq!(curl(result_url.split('?').next().unwrap()).await.0, "403");
    let (rest, signature) = result_url.split_once("X-Amz-Signature=").unwrap();
    let flipped = if signature.starts_with('0') { "1" } else { "0" };
    assert_eq!(curl(&format!("{rest}X-Amz-Signature={flipped}{}", &signature[1..])).await.0, "403");
}

#[tokio::test]
async fn they_stop_working_when_they_say() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_URL_TTL_SECONDS", "2")]).await;
    fleet.create("hello", "event", json!({})).await;
    let execution = fleet.execute("hello", &json!(1)).await;
    let url = execution["result_url"].as_str().unwrap();
    let expires_at: badlambda_shared::timestamp::Timestamp =
        serde_json::from_value(execution["urls_expire_at"].clone()).unwrap();
    assert!(expires_at.remaining() <= Duration::from_secs(2));
    assert_eq!(curl(url).await.0, "200");
    // The signature's own clock counts whole seconds.
    tokio::time::sleep(expires_at.remaining() + Duration::from_millis(1100)).await;
    assert_eq!(curl(url).await.0, "403");
    // The API signs again.
    let again = fleet.finished(execution["url"].as_str().unwrap()).await;
    assert_eq!(curl(again["result_url"].as_str().unwrap()).await.0, "200");
}
