//! SQS in batches: each entry has its own outcome.

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
};

use crate::fixture::Servers;

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

#[tokio::test]
async fn one_bad_entry_leaves_the_others_alone() {
    let servers = Servers::start().await;
    let url = &servers.aws.queue_url;
    let send = servers.sqs.send_message_batch().queue_url(url);
    let sent = send.entries(entry("a", "1")).entries(entry("b", "\u{1}")).entries(entry("c", "3")).send().await.unwrap();
    assert_eq!(sent.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!((sent.failed()[0].id(), sent.failed()[0].sender_fault()), ("b", true));

    let receive = servers.sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
    let handles: Vec<&str> = receive.messages().iter().filter_map(|message| message.receipt_handle()).collect();
    assert_eq!(handles.len(), 2);
    let change = |id: &str, handle: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
        entry.visibility_timeout(600).build().unwrap()
    };
    let changes = servers.sqs.change_message_visibility_batch().queue_url(url);
    let changed = changes.entries(change("a", handles[0])).entries(change("b", "nonsense")).send().await.unwrap();
    assert_eq!((changed.successful().len(), changed.failed()[0].code()), (1, "ReceiptHandleIsInvalid"));

    let delete = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let deletes = servers.sqs.delete_message_batch().queue_url(url).entries(delete("a", handles[0]));
    let deleted = deletes.entries(delete("b", handles[1])).entries(delete("c", "nonsense")).send().await.unwrap();
    assert_eq!((deleted.successful().len(), deleted.failed().len()), (2, 1));
    assert_eq!(servers.counts().await, ["0", "0", "0"]);
}

#[tokio::test]
async fn batches_that_break_the_rules_are_refused_whole() {
    let servers = Servers::start().await;
    let refused = async |entries: Vec<SendMessageBatchRequestEntry>| {
        let send = servers.sqs.send_message_batch().queue_url(&servers.aws.queue_url).set_entries(Some(entries));
        send.send().await.unwrap_err().code().unwrap().rsplit('.').next().unwrap().to_owned()
    };
    assert_eq!(refused(vec![]).await, "EmptyBatchRequest");
    let eleven = (0..11).map(|id| entry(&id.to_string(), "x")).collect();
    assert_eq!(refused(eleven).await, "TooManyEntriesInBatchRequest");
    assert_eq!(refused(vec![entry("a", "x"), entry("a", "y")]).await, "BatchEntryIdsNotDistinct");
    assert_eq!(refused(vec![entry("a b", "x")]).await, "InvalidBatchEntryId");
    let half = "x".repeat(600 * 1024);
    assert_eq!(refused(vec![entry("a", &half), entry("b", &half)]).await, "BatchRequestTooLong");
    assert_eq!(servers.counts().await, ["0", "0", "0"]);
}
