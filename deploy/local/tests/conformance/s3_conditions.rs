//! Objects on conditions: who comes second loses, and what is broken replaces nothing.

use futures::future::join_all;

use crate::fixture::{Fixture, code};

pub(crate) async fn of_many_who_create_one_wins(fixture: Fixture) {
    let put = |number: usize| {
        let put = fixture.s3.put_object().bucket(&fixture.endpoint.bucket).key("lock").if_none_match("*");
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

pub(crate) async fn a_stale_etag_replaces_nothing(fixture: Fixture) {
    let first = fixture.put("state", b"1").await;
    let put = || fixture.s3.put_object().bucket(&fixture.endpoint.bucket).key("state");
    put().if_match(&first).body(b"2".to_vec().into()).send().await.unwrap();
    let stale = put().if_match(&first).body(b"3".to_vec().into()).send().await;
    assert_eq!(code(stale), "PreconditionFailed");
    assert_eq!(fixture.get("state").await, b"2");

    // Of those who read the same state, one replaces it.
    let second = fixture.s3.head_object().bucket(&fixture.endpoint.bucket).key("state").send().await.unwrap();
    let race = |number: u8| put().if_match(second.e_tag().unwrap()).body(vec![number].into()).send();
    let outcomes = join_all((0..16).map(race)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);

    let missing = fixture.s3.put_object().bucket(&fixture.endpoint.bucket).key("missing").if_match(first);
    assert_eq!(code(missing.body(b"x".to_vec().into()).send().await), "NoSuchKey");
    let head = fixture.s3.head_object().bucket(&fixture.endpoint.bucket).key("missing").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
}

pub(crate) async fn an_object_is_deleted_only_as_it_was_known(fixture: Fixture) {
    let first = fixture.put("state", b"1").await;
    let second = fixture.put("state", b"2").await;
    let delete = fixture.s3.delete_object().bucket(&fixture.endpoint.bucket).key("state");
    assert_eq!(code(delete.clone().if_match(first).send().await), "PreconditionFailed");
    assert_eq!(fixture.get("state").await, b"2");
    delete.if_match(second).send().await.unwrap();
    let get = fixture.s3.get_object().bucket(&fixture.endpoint.bucket).key("state").send().await;
    assert!(get.unwrap_err().into_service_error().is_no_such_key());
}

pub(crate) async fn what_is_known_is_not_read_again(fixture: Fixture) {
    let etag = fixture.put("a", b"x").await;
    let get = fixture.s3.get_object().bucket(&fixture.endpoint.bucket).key("a");
    let known = get.clone().if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(known.raw_response().unwrap().status().as_u16(), 304);
    get.clone().if_none_match("\"another\"").send().await.unwrap();
    get.clone().if_match(&etag).send().await.unwrap();
    assert_eq!(code(get.if_match("\"another\"").send().await), "PreconditionFailed");
    let head = fixture.s3.head_object().bucket(&fixture.endpoint.bucket).key("a").if_none_match(&etag);
    assert_eq!(head.send().await.unwrap_err().raw_response().unwrap().status().as_u16(), 304);
}

#[tokio::test]
async fn a_condition_that_is_not_here_is_refused() {
    let fixture = Fixture::start().await;
    let etag = fixture.put("a", b"x").await;
    let put = fixture.s3.put_object().bucket(&fixture.endpoint.bucket).key("a").if_none_match(etag);
    assert_eq!(code(put.body(b"y".to_vec().into()).send().await), "NotImplemented");
    assert_eq!(fixture.get("a").await, b"x");
}

pub(crate) async fn a_body_that_arrived_broken_replaces_nothing(fixture: Fixture) {
    let etag = fixture.put("a", b"x").await;
    let put = || {
        let put = fixture.s3.put_object().bucket(&fixture.endpoint.bucket).key("a");
        put.body(b"y".to_vec().into())
    };
    // The checksums of another body.
    let crc32 = put().checksum_crc32("AAAAAA==");
    let sha256 = put().checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    let md5 = put().content_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    for broken in [crc32, sha256, md5] {
        assert_eq!(code(broken.send().await), "BadDigest");
    }
    assert_eq!(fixture.get("a").await, b"x");
    let head = fixture.s3.head_object().bucket(&fixture.endpoint.bucket).key("a").send().await.unwrap();
    assert_eq!(head.e_tag(), Some(etag.as_str()));
}
