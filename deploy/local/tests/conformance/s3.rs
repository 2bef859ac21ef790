//! Objects: written, read, listed, on conditions, and by presigned URLs.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use futures::future::join_all;

use crate::fixture::{Fixture, clients, code};

#[tokio::test]
async fn an_object_is_read_as_it_was_written() {
    let fixture = Fixture::start().await;
    let (s3, bucket) = (&fixture.s3, &fixture.aws.bucket);
    let put = s3.put_object().bucket(bucket).key("a/b.json").content_type("application/json");
    let put = put.metadata("made-by", "a test").body(b"{\"n\": 1}".to_vec().into()).send().await.unwrap();
    let head = s3.head_object().bucket(bucket).key("a/b.json").send().await.unwrap();
    let got = s3.get_object().bucket(bucket).key("a/b.json").send().await.unwrap();
    // S3's ETag is the MD5 of what was put.
    assert_eq!(put.e_tag(), Some("\"96d730b7a405ed0e9cb1068b43e06fe4\""));
    assert_eq!((head.e_tag(), got.e_tag()), (put.e_tag(), put.e_tag()));
    assert_eq!((head.content_length(), got.content_length()), (Some(8), Some(8)));
    assert_eq!(head.content_type(), Some("application/json"));
    assert_eq!(got.content_type(), Some("application/json"));
    assert_eq!(head.metadata().unwrap()["made-by"], "a test");
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"{\"n\": 1}");

    let replaced = fixture.put("a/b.json", b"other").await;
    assert_ne!(Some(replaced.as_str()), put.e_tag());
    let got = s3.get_object().bucket(bucket).key("a/b.json").send().await.unwrap();
    assert_ne!(got.content_type(), Some("application/json"), "it was another object's");
    assert_eq!(got.metadata().map_or(0, |metadata| metadata.len()), 0, "it was another object's");
}

#[tokio::test]
async fn a_deleted_object_is_gone() {
    let fixture = Fixture::start().await;
    let (s3, bucket) = (&fixture.s3, &fixture.aws.bucket);
    fixture.put("gone", b"x").await;
    for _ in 0..2 {
        s3.delete_object().bucket(bucket).key("gone").send().await.unwrap();
    }
    let got = s3.get_object().bucket(bucket).key("gone").send().await;
    assert!(got.unwrap_err().into_service_error().is_no_such_key());
    let head = s3.head_object().bucket(bucket).key("gone").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    assert_eq!(fixture.keys(None, None, None).await.0, Vec::<String>::new());
    // Nor do its ETag and metadata fill the disk.
    let left: Vec<_> =
        fixture.data.path().join("s3").read_dir().unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(left.iter().map(|entry| entry.file_name()).collect::<Vec<_>>(), [bucket.as_str()]);
}

#[tokio::test]
async fn of_many_who_create_one_wins() {
    let fixture = Fixture::start().await;
    let put = |number: usize| {
        let put = fixture.s3.put_object().bucket(&fixture.aws.bucket).key("lock").if_none_match("*");
        put.body(format!("writer {number}").into_bytes().into()).send()
    };
    let outcomes = join_all((0..16).map(put)).await;
    let winners: Vec<usize> = (0..16).filter(|number| outcomes[*number].is_ok()).collect();
    let [winner] = winners[..] else { panic!("{winners:?}") };
    for lost in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(lost.as_ref().unwrap_err().raw_response().unwrap().status().as_u16(), 412);
        assert_eq!(code(lost), "PreconditionFailed");
    }
    assert_eq!(fixture.get("lock").await, format!("writer {winner}").into_bytes());
}

#[tokio::test]
async fn a_stale_etag_replaces_nothing() {
    let fixture = Fixture::start().await;
    let first = fixture.put("state", b"1").await;
    let put = || fixture.s3.put_object().bucket(&fixture.aws.bucket).key("state");
    put().if_match(&first).body(b"2".to_vec().into()).send().await.unwrap();
    let stale = put().if_match(&first).body(b"3".to_vec().into()).send().await;
    assert_eq!(code(stale), "PreconditionFailed");
    assert_eq!(fixture.get("state").await, b"2");

    // Of those who read the same state, one replaces it.
    let second = fixture.s3.head_object().bucket(&fixture.aws.bucket).key("state").send().await.unwrap();
    let race = |number: u8| put().if_match(second.e_tag().unwrap()).body(vec![number].into()).send();
    let outcomes = join_all((0..16).map(race)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);

    let missing = fixture.s3.put_object().bucket(&fixture.aws.bucket).key("missing").if_match(first);
    // AWS answers NoSuchKey here; either way nothing is made.
    assert_eq!(code(missing.body(b"x".to_vec().into()).send().await), "PreconditionFailed");
    let head = fixture.s3.head_object().bucket(&fixture.aws.bucket).key("missing").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
}

#[tokio::test]
async fn keys_are_listed_in_order_and_by_folder() {
    let fixture = Fixture::start().await;
    for key in ["f/a", "f/b c+d", "f/é/1", "f/é/2", "f/g+ h/1", "g", "f.x", "f/a.b/1"] {
        fixture.put(key, b"x").await;
    }
    let all = ["f.x", "f/a", "f/a.b/1", "f/b c+d", "f/g+ h/1", "f/é/1", "f/é/2", "g"];
    assert_eq!(fixture.keys(None, None, None).await.0, all);
    assert_eq!(fixture.keys(Some("f/é"), None, None).await.0, ["f/é/1", "f/é/2"]);
    assert_eq!(fixture.keys(None, None, Some("f/b c+d")).await.0, all[4..]);
    let (keys, prefixes) = fixture.keys(Some("f/"), Some("/"), None).await;
    assert_eq!(keys, ["f/a", "f/b c+d"]);
    assert_eq!(prefixes, ["f/a.b/", "f/g+ h/", "f/é/"]);
    for key in all {
        assert_eq!(fixture.get(key).await, b"x", "{key}");
    }
    let got = fixture.s3.list_objects_v2().bucket(&fixture.aws.bucket).max_keys(4).into_paginator();
    let pages = got.send().try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.contents().len()).collect::<Vec<_>>(), [4, 4]);
}

#[tokio::test]
async fn keys_cannot_leave_the_bucket_and_long_ones_are_kept() {
    let fixture = Fixture::start().await;
    for key in ["../credentials.json", "a/../../../credentials.json", "a/..", "a/./b"] {
        let put = fixture.s3.put_object().bucket(&fixture.aws.bucket).key(key).send().await;
        let status = put.unwrap_err().raw_response().unwrap().status().as_u16();
        assert!((400..500).contains(&status), "{key}: {status}");
        assert!(fixture.s3.get_object().bucket(&fixture.aws.bucket).key(key).send().await.is_err(), "{key}");
    }
    let reserved = fixture.s3.get_object().bucket(&fixture.aws.bucket).key(".long-keys/x").send().await;
    assert_eq!(code(reserved), "InvalidArgument");
    let long = "k".repeat(400);
    let written = fixture.put(&long, b"long").await;
    let head = fixture.s3.head_object().bucket(&fixture.aws.bucket).key(&long).send().await.unwrap();
    assert_eq!(head.e_tag(), Some(written.as_str()));
    assert_eq!(fixture.get(&long).await, b"long");
    assert_eq!(fixture.keys(None, None, None).await.0, Vec::<String>::new(), "long keys are not listed");
}

/// Unlike AWS's, these objects are files, and their folders folders.
#[tokio::test]
async fn an_object_cannot_be_a_folder_too() {
    let fixture = Fixture::start().await;
    fixture.put("f", b"x").await;
    fixture.put("g/a", b"x").await;
    for key in ["f/a", "g"] {
        let put = fixture.s3.put_object().bucket(&fixture.aws.bucket).key(key).body(b"y".to_vec().into());
        assert!(put.send().await.is_err(), "{key}");
    }
    assert_eq!(fixture.keys(None, None, None).await.0, ["f", "g/a"]);
    assert_eq!((fixture.get("f").await, fixture.get("g/a").await), (b"x".to_vec(), b"x".to_vec()));
}

#[tokio::test]
async fn a_presigned_url_reads_one_object_for_a_time() {
    let fixture = Fixture::start().await;
    fixture.put("result", b"42").await;
    fixture.put("secret", b"43").await;
    let presign = async |seconds| {
        let get = fixture.s3.get_object().bucket(&fixture.aws.bucket).key("result");
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

#[tokio::test]
async fn a_wrong_secret_reads_and_writes_nothing() {
    let fixture = Fixture::start().await;
    fixture.put("a", b"x").await;
    let (_, guesser) = clients(&fixture.aws, &fixture.aws.access_key_id, "a guess");
    let get = guesser.get_object().bucket(&fixture.aws.bucket).key("a").send().await;
    assert_eq!(code(get), "SignatureDoesNotMatch");
    let put = guesser.put_object().bucket(&fixture.aws.bucket).key("a").body(b"y".to_vec().into());
    assert_eq!(code(put.send().await), "SignatureDoesNotMatch");
    assert_eq!(fixture.get("a").await, b"x");
}

impl Fixture {
    /// The keys and the common prefixes that a list answers.
    async fn keys(
        &self,
        prefix: Option<&str>,
        delimiter: Option<&str>,
        start_after: Option<&str>,
    ) -> (Vec<String>, Vec<String>) {
        let list = self.s3.list_objects_v2().bucket(&self.aws.bucket).set_prefix(prefix.map(str::to_owned));
        let list = list.set_delimiter(delimiter.map(str::to_owned));
        let listed = list.set_start_after(start_after.map(str::to_owned)).send().await.unwrap();
        let keys = listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
        let prefixes = listed.common_prefixes().iter().map(|common| common.prefix().unwrap().to_owned());
        (keys, prefixes.collect())
    }
}
