//! Presigned URLs, and who is refused.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use crate::fixture::{Fixture, clients, code};

pub(crate) async fn a_presigned_url_reads_one_object_for_a_time(fixture: Fixture) {
    fixture.put("result", b"42").await;
    fixture.put("secret", b"43").await;
    let presign = async |seconds| {
        let get = fixture.s3.get_object().bucket(&fixture.endpoint.bucket).key("result");
        let config = PresigningConfig::expires_in(Duration::from_secs(seconds)).unwrap();
        get.presigned(config).await.unwrap().uri().to_owned()
    };
    let good = presign(60).await;
    let answer = reqwest::get(&good).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "42"));
    for bad in [
        good.replace("/result", "/secret"),
        good.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        good.split('?').next().unwrap().to_owned(),
    ] {
        assert_eq!(reqwest::get(&bad).await.unwrap().status(), 403, "{bad}");
    }
    assert_eq!(reqwest::Client::new().put(&good).body("x").send().await.unwrap().status(), 403);

    let short = presign(1).await;
    // Nothing tells when it has expired but the clock.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(reqwest::get(&short).await.unwrap().status(), 403);
}

pub(crate) async fn a_presigned_url_says_how_its_answer_is_to_be_shown(fixture: Fixture) {
    fixture.put("result", b"42").await;
    let get = fixture.s3.get_object().bucket(&fixture.endpoint.bucket).key("result");
    let get = get.response_content_type("text/plain").response_content_disposition("attachment");
    let get = get.response_cache_control("no-store").response_content_language("de");
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = get.presigned(config).await.unwrap().uri().to_owned();
    let answer = reqwest::get(&url).await.unwrap();
    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/plain");
    assert_eq!(header("content-disposition"), "attachment");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("content-language"), "de");
    let tampered = url.replace("text%2Fplain", "text%2Fhtml");
    assert_ne!(tampered, url);
    assert_eq!(reqwest::get(&tampered).await.unwrap().status(), 403);
}

pub(crate) async fn a_wrong_secret_reads_and_writes_nothing(fixture: Fixture) {
    fixture.put("a", b"x").await;
    let (_, guesser) = clients(&fixture.endpoint, &fixture.endpoint.access_key_id, "a guess");
    let get = guesser.get_object().bucket(&fixture.endpoint.bucket).key("a").send().await;
    assert_eq!(code(get), "SignatureDoesNotMatch");
    let put = guesser.put_object().bucket(&fixture.endpoint.bucket).key("a").body(b"y".to_vec().into());
    assert_eq!(code(put.send().await), "SignatureDoesNotMatch");
    assert_eq!(fixture.get("a").await, b"x");
}
