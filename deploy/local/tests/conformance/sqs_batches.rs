//! Batches, and the limits of what a message can hold.

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    SendMessageBatchRequestEntry,
};

use crate::fixture::{Fixture, code};
use crate::sqs::text;

const MIB: usize = 1024 * 1024;

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

/// That only the entry `bad` failed, by the sender's fault.
fn assert_bad_failed(failed: &[BatchResultErrorEntry], code: &str) {
    let [failed] = failed else { panic!("{failed:?}") };
    assert_eq!((failed.id(), failed.code(), failed.sender_fault()), ("bad", code, true), "{failed:?}");
}

pub(crate) async fn each_entry_of_a_batch_is_answered(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    let send = fixture.sqs.send_message_batch().queue_url(queue);
    let send = send.entries(entry("a", "1")).entries(entry("bad", "\u{1}")).entries(entry("b", "2"));
    let sent = send.send().await.unwrap();
    assert_eq!(sent.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(sent.successful()[0].md5_of_message_body(), "c4ca4238a0b923820dcc509a6f75849b");
    assert_bad_failed(sent.failed(), "InvalidMessageContents");

    let received = fixture.receive(queue, 0).await;
    assert_eq!(received.len(), 2);
    let handle = |at: usize| received[at].receipt_handle().unwrap();
    let change = |id: &str, handle: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
        entry.visibility_timeout(60).build().unwrap()
    };
    let changes = fixture.sqs.change_message_visibility_batch().queue_url(queue);
    let changes = changes.entries(change("a", handle(0))).entries(change("bad", "no receipt"));
    let changed = changes.send().await.unwrap();
    assert_eq!(changed.successful()[0].id(), "a");
    assert_bad_failed(changed.failed(), "ReceiptHandleIsInvalid");

    let delete = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let deletes = fixture.sqs.delete_message_batch().queue_url(queue).entries(delete("a", handle(0)));
    let deletes = deletes.entries(delete("bad", "no receipt")).entries(delete("b", handle(1)));
    let deleted = deletes.send().await.unwrap();
    assert_eq!(deleted.successful().len(), 2);
    assert_bad_failed(deleted.failed(), "ReceiptHandleIsInvalid");
    assert_eq!(fixture.count(queue, "ApproximateNumberOfMessagesNotVisible").await, "0");
}

pub(crate) async fn batches_of_a_wrong_form_are_refused_whole(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    let half = "x".repeat(MIB / 2);
    let eleven = (0..11).map(|id| entry(&id.to_string(), "x")).collect::<Vec<_>>();
    for (entries, expected) in [
        (vec![], "EmptyBatchRequest"),
        (eleven, "TooManyEntriesInBatchRequest"),
        (vec![entry("a", "x"), entry("a", "y")], "BatchEntryIdsNotDistinct"),
        (vec![entry("not plain", "x")], "InvalidBatchEntryId"),
        (vec![entry("a", &half), entry("b", &half), entry("c", "x")], "BatchRequestTooLong"),
    ] {
        let send = fixture.sqs.send_message_batch().queue_url(queue).set_entries(Some(entries));
        let code = code(send.send().await);
        assert_eq!(code.rsplit('.').next(), Some(expected));
    }
    assert!(fixture.receive(queue, 0).await.is_empty());
}

pub(crate) async fn a_message_has_at_most_one_mebibyte(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    let send = fixture.sqs.send_message().queue_url(queue);
    let most = "x".repeat(MIB);
    assert_eq!(code(send.clone().message_body(format!("{most}x")).send().await), "InvalidParameterValue");
    let attribute = send.clone().message_body(&most[1..]).message_attributes("n", text("v"));
    assert_eq!(code(attribute.send().await), "InvalidParameterValue", "attributes count too");
    send.message_body(&most).send().await.unwrap();
    assert_eq!(fixture.receive_one(queue, 0).await.body().map(str::len), Some(MIB));

    // A tab takes two bytes on the wire; the limit is on what it stands for.
    let tabs = "\t".repeat(MIB);
    fixture.send(&tabs).await;
    assert_eq!(fixture.receive_one(queue, 0).await.body(), Some(tabs.as_str()));
}

pub(crate) async fn what_sqs_does_not_take_is_refused(fixture: Fixture) {
    let send = fixture.sqs.send_message().queue_url(&fixture.endpoint.queue_url);
    for body in ["\0", "a\u{b}", "\u{FFFE}"] {
        assert!(
            send.clone()
                .message_body(body)
                .send()
                .await
                .unwrap_err()
                .into_service_error()
                .is_invalid_message_contents(),
            "{body:?}"
        );
    }
    let plain = send.message_body("x");
    for (refused, why) in [
        (plain.clone().message_attributes("AWS.reserved", text("x")), "a reserved name"),
        (plain.clone().message_attributes("empty", text("")), "an empty value"),
        (plain.clone().delay_seconds(901), "a delay of more than 15 minutes"),
        (plain.clone().message_deduplication_id("x"), "a FIFO queue's parameter"),
        (plain.clone().message_group_id("x".repeat(129)), "a long group id"),
        (plain.clone().message_group_id("a group"), "a space in a group id"),
    ] {
        assert_eq!(code(refused.send().await), "InvalidParameterValue", "{why}");
    }
    fixture.send("\t\n\r é \u{10FFFF}").await;
    let received = fixture.receive_one(&fixture.endpoint.queue_url, 0).await;
    assert_eq!(received.body(), Some("\t\n\r é \u{10FFFF}"));
}
