//! S3.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use futures::future::join_all;

use crate::fixture::{Servers, clients};

impl Servers {
    async fn put(&self, key: &str, body: &'static str) -> String {
        let put = self.s3.put_object().bucket(&self.aws.bucket).key(key).content_type("application/json");
        put.body(ByteStream::from_static(body.as_bytes())).send().await.unwrap().e_tag.unwrap()
    }

    async fn presigned(&self, key: &str, ttl: Duration) -> String {
        let get = self.s3.get_object().bucket(&self.aws.bucket).key(key);
        get.presigned(PresigningConfig::expires_in(ttl).unwrap()).await.unwrap().uri().to_owned()
    }
}

async fn status(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn an_object_is_what_was_put() {
    let servers = Servers::start().await;
    let long = "k/".repeat(200) + "end";
    for key in ["plain.json", "a/b+c d/é.json", &long] {
        let etag = servers.put(key, "{}").await;
        let head = servers.s3.head_object().bucket(&servers.aws.bucket).key(key).send().await.unwrap();
        let get = servers.s3.get_object().bucket(&servers.aws.bucket).key(key).send().await.unwrap();
        assert_eq!((head.e_tag(), get.e_tag()), (Some(etag.as_str()), Some(etag.as_str())), "{key}");
        assert_eq!(get.content_type(), Some("application/json"));
        assert_eq!(get.body.collect().await.unwrap().to_vec(), b"{}");
        servers.s3.delete_object().bucket(&servers.aws.bucket).key(key).send().await.unwrap();
        let gone = servers.s3.get_object().bucket(&servers.aws.bucket).key(key).send().await.unwrap_err();
        assert!(gone.into_service_error().is_no_such_key());
    }
}

#[tokio::test]
async fn of_many_who_create_at_once_one_wins() {
    let servers = Servers::start().await;
    for round in 0..5 {
        let puts = (0..16).map(|number| {
            let put = servers.s3.put_object().bucket(&servers.aws.bucket).key(format!("race-{round}"));
            put.if_none_match("*").body(ByteStream::from(vec![number; 1000])).send()
        });
        let outcomes = join_all(puts).await;
        let refused = |error: &aws_sdk_s3::error::SdkError<_>| error.raw_response().unwrap().status().as_u16();
        let statuses: Vec<u16> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(refused).collect();
        assert_eq!(statuses, [412; 15]);
    }
}

#[tokio::test]
async fn a_write_can_ask_that_nothing_changed() {
    let servers = Servers::start().await;
    let etag = servers.put("record.json", "1").await;
    let put = |etag: &str| {
        let put = servers.s3.put_object().bucket(&servers.aws.bucket).key("record.json").if_match(etag);
        put.body(ByteStream::from_static(b"2")).send()
    };
    put(&etag).await.unwrap();
    assert_eq!(put(&etag).await.unwrap_err().raw_response().unwrap().status().as_u16(), 412);
}

#[tokio::test]
async fn keys_are_listed_by_prefix_and_delimiter() {
    let servers = Servers::start().await;
    for key in ["f/a/function.json", "f/b/function.json", "f/c+d/function.json", "f/top.json", "g/x"] {
        servers.put(key, "{}").await;
    }
    let list = || servers.s3.list_objects_v2().bucket(&servers.aws.bucket).prefix("f/").delimiter("/");
    let all = list().send().await.unwrap();
    let prefixes: Vec<&str> = all.common_prefixes().iter().filter_map(|common| common.prefix()).collect();
    assert_eq!(prefixes, ["f/a/", "f/b/", "f/c+d/"]);
    assert_eq!(all.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["f/top.json"]);
    let page = list().max_keys(1).start_after("f/a/").send().await.unwrap();
    assert_eq!((page.common_prefixes()[0].prefix(), page.is_truncated()), (Some("f/b/"), Some(true)));
}

#[tokio::test]
async fn presigned_urls_work_for_their_time_and_their_key_alone() {
    let servers = Servers::start().await;
    servers.put("result.json", "{\"a\":1}").await;
    servers.put("other.json", "{}").await;
    let url = servers.presigned("result.json", Duration::from_secs(60)).await;
    assert_eq!(reqwest::get(&url).await.unwrap().text().await.unwrap(), "{\"a\":1}");
    assert_eq!(status(&url.replace("result.json", "other.json")).await, 403);
    assert_eq!(status(url.split('?').next().unwrap()).await, 403);
    let short = servers.presigned("result.json", Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(status(&short).await, 403);
    let (_, forger) = clients(&servers.aws, "another secret");
    let forged = forger.get_object().bucket(&servers.aws.bucket).key("result.json").send().await.unwrap_err();
    assert_eq!(forged.raw_response().unwrap().status().as_u16(), 403);
}

#[tokio::test]
async fn no_key_leaves_the_bucket() {
    let servers = Servers::start().await;
    for key in ["../outside", "a/../../outside", "a//b"] {
        let put = servers.s3.put_object().bucket(&servers.aws.bucket).key(key).body(ByteStream::from_static(b"x"));
        assert!(put.send().await.is_err(), "{key}");
    }
}
