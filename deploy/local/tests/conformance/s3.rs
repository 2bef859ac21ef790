//! Objects: written, read, listed and deleted.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::fixture::{Fixture, code};

pub(crate) async fn an_object_is_read_as_it_was_written(fixture: Fixture) {
    let (s3, bucket) = (&fixture.s3, &fixture.endpoint.bucket);
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
    assert_eq!(
        got.content_type(),
        Some("application/octet-stream"),
        "the SDK's own; the other was another's"
    );
    assert_eq!(got.metadata().map_or(0, |metadata| metadata.len()), 0, "it was another object's");
}

#[tokio::test]
async fn a_deleted_object_is_gone() {
    let fixture = Fixture::start().await;
    let (s3, bucket) = (&fixture.s3, &fixture.endpoint.bucket);
    fixture.put("gone", b"x").await;
    for _ in 0..2 {
        s3.delete_object().bucket(bucket).key("gone").send().await.unwrap();
    }
    let got = s3.get_object().bucket(bucket).key("gone").send().await;
    assert!(got.unwrap_err().into_service_error().is_no_such_key());
    let head = s3.head_object().bucket(bucket).key("gone").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    assert_eq!(fixture.keys(None, None, None).await.0, Vec::<String>::new());
}

pub(crate) async fn keys_are_listed_in_order_and_by_folder(fixture: Fixture) {
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
    let got = fixture.s3.list_objects_v2().bucket(&fixture.endpoint.bucket).max_keys(4).into_paginator();
    let pages = got.send().try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.contents().len()).collect::<Vec<_>>(), [4, 4]);
}

pub(crate) async fn both_kinds_of_list_go_on_where_they_ended(fixture: Fixture) {
    for key in ["a", "b+c/1", "b+c/2", "d/1"] {
        fixture.put(key, b"x").await;
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let list = fixture.s3.list_objects().bucket(&fixture.endpoint.bucket).delimiter("/").max_keys(1);
        let page = list.encoding_type("url".into()).set_marker(marker).send().await.unwrap();
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        seen.extend(page.common_prefixes().iter().map(|common| common.prefix().unwrap().to_owned()));
        marker = page.next_marker().map(|encoded| encoded.replace("%2B", "+"));
        if !page.is_truncated().unwrap() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b%2Bc/", "d/"]);
    let list = fixture.s3.list_objects_v2().bucket(&fixture.endpoint.bucket);
    assert_eq!(code(list.clone().continuation_token("?").send().await), "InvalidArgument");
    assert_eq!(list.max_keys(0).send().await.unwrap().is_truncated(), Some(false));
    let other = fixture.s3.list_objects_v2().bucket("no-such-bucket").send().await;
    assert!(other.unwrap_err().into_service_error().is_no_such_bucket());
    let other = fixture.s3.get_object().bucket("no-such-bucket").key("a").send().await;
    assert_eq!(code(other), "NoSuchBucket");
}

pub(crate) async fn many_objects_are_deleted_at_once(fixture: Fixture) {
    for key in ["a", "b", "kept"] {
        fixture.put(key, b"x").await;
    }
    let object = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let all = Delete::builder().objects(object("a")).objects(object("none"));
    let delete = fixture.s3.delete_objects().bucket(&fixture.endpoint.bucket);
    let deleted = delete.delete(all.objects(object("b")).build().unwrap()).send().await.unwrap();
    let keys: Vec<_> = deleted.deleted().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["a", "none", "b"]);
    assert_eq!(fixture.keys(None, None, None).await.0, ["kept"]);
}

#[tokio::test]
async fn what_can_not_be_a_key_is_refused() {
    let fixture = Fixture::start().await;
    let (s3, bucket, long) = (&fixture.s3, &fixture.endpoint.bucket, "k".repeat(1025));
    let put = s3.put_object().bucket(bucket).key(&long).body(b"x".to_vec().into());
    assert_eq!(code(put.send().await), "KeyTooLongError");
    assert_eq!(code(s3.delete_object().bucket(bucket).key(&long).send().await), "KeyTooLongError");
    let objects = ObjectIdentifier::builder().key(&long).build().unwrap();
    let delete = Delete::builder().objects(objects).build().unwrap();
    let deleted = s3.delete_objects().bucket(bucket).delete(delete).send().await.unwrap();
    assert_eq!(deleted.errors()[0].key(), Some(long.as_str()));
}

#[tokio::test]
async fn requests_are_counted_by_operation() {
    let fixture = Fixture::start().await;
    fixture.put("a", b"x").await;
    fixture.get("a").await;
    fixture.get("a").await;
    fixture.send("x").await;
    reqwest::get(format!("{}/{}/a", fixture.endpoint.url, fixture.endpoint.bucket)).await.unwrap();
    let counted = fixture.embedded().requests();
    let expected = [("S3.GetObject", 2), ("S3.PutObject", 1), ("SQS.SendMessage", 1)];
    assert_eq!(counted, expected.map(|(operation, count)| (operation.to_owned(), count)).into());
}

pub(crate) async fn any_name_is_a_key(fixture: Fixture) {
    let long = "k".repeat(400);
    let keys = ["a", "a/", "a/b", "a//b", "a/../b", "a/./b", "a b\u{10ffff}", long.as_str()];
    for key in keys {
        fixture.put(key, key.as_bytes()).await;
    }
    for key in keys {
        assert_eq!(fixture.get(key).await, key.as_bytes(), "{key}");
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(fixture.keys(None, None, None).await.0, sorted);
}

pub(crate) async fn a_part_of_an_object_is_read(fixture: Fixture) {
    // Larger than what a server may have at hand at once.
    let whole: Vec<u8> = (0..1_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    fixture.put("large", &whole).await;
    assert!(fixture.get("large").await == whole);
    let part = |range: &str| {
        let get = fixture.s3.get_object().bucket(&fixture.endpoint.bucket).key("large");
        get.range(range).send()
    };
    for (range, start, end) in [("bytes=5-9", 5, 10), ("bytes=999998-", 999_998, 1_000_000)] {
        let got = part(range).await.unwrap();
        let expected = format!("bytes {start}-{}/1000000", end - 1);
        assert_eq!(got.content_range(), Some(expected.as_str()), "{range}");
        assert_eq!(got.body.collect().await.unwrap().to_vec(), &whole[start..end], "{range}");
    }
    let last = part("bytes=-3").await.unwrap().body.collect().await.unwrap().to_vec();
    assert_eq!(last, &whole[whole.len() - 3..]);
    assert_eq!(code(part("bytes=1000000-").await), "InvalidRange");
}

#[tokio::test]
async fn buckets_are_made_found_and_listed() {
    let fixture = Fixture::start().await;
    let s3 = &fixture.s3;
    s3.create_bucket().bucket("another").send().await.unwrap();
    assert_eq!(code(s3.create_bucket().bucket("another").send().await), "BucketAlreadyOwnedByYou");
    let listed = s3.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed.buckets().iter().map(|bucket| bucket.name().unwrap()).collect();
    assert_eq!(names, ["another", fixture.endpoint.bucket.as_str()]);
    s3.head_bucket().bucket("another").send().await.unwrap();
    assert!(
        s3.head_bucket()
            .bucket("no-such-bucket")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found()
    );
}

impl Fixture {
    /// The keys and the common prefixes that a list answers.
    async fn keys(
        &self,
        prefix: Option<&str>,
        delimiter: Option<&str>,
        start_after: Option<&str>,
    ) -> (Vec<String>, Vec<String>) {
        let list =
            self.s3.list_objects_v2().bucket(&self.endpoint.bucket).set_prefix(prefix.map(str::to_owned));
        let list = list.set_delimiter(delimiter.map(str::to_owned));
        let listed = list.set_start_after(start_after.map(str::to_owned)).send().await.unwrap();
        let keys = listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
        let prefixes = listed.common_prefixes().iter().map(|common| common.prefix().unwrap().to_owned());
        (keys, prefixes.collect())
    }
}
