//! Messages, one at a time: sent, received, given back, deleted, and moved to the dead-letter queue.

use std::time::{Duration, Instant};

use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName as System, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue,
};

use crate::fixture::{Fixture, clients, code};

/// Far below the 20 seconds of a long poll, and far above what a busy machine needs.
const WELL_BEFORE: Duration = Duration::from_secs(10);

pub(crate) fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn system(message: &Message, name: System) -> Option<&str> {
    message.attributes.as_ref()?.get(&name).map(String::as_str)
}

pub(crate) async fn a_message_is_received_as_it_was_sent(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    let trace = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-5759e988");
    let number = MessageAttributeValue::builder().data_type("Number").string_value("1493147359900");
    let send = fixture.sqs.send_message().queue_url(queue).message_body("hello").message_group_id("tenant-a");
    let sent = send
        .message_attributes("timestamp", number.build().unwrap())
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace.build().unwrap())
        .send()
        .await
        .unwrap();
    // `md5sum` of the body, and the digest of this attribute that is known of AWS's.
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(sent.md5_of_message_attributes(), Some("235c5c510d26fb653d073faed50ae77c"));
    // Computed apart from this project, by AWS's description of it.
    assert_eq!(sent.md5_of_message_system_attributes(), Some("1093703a9379955b75098a87e549ba88"));

    let received = fixture.receive_one(queue, 0).await;
    assert_eq!(received.message_id, sent.message_id);
    assert_eq!(received.body(), Some("hello"));
    assert_eq!(received.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(received.md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(received.message_attributes().unwrap()["timestamp"].string_value(), Some("1493147359900"));
    assert_eq!(system(&received, System::MessageGroupId), Some("tenant-a"));
    assert_eq!(system(&received, System::AwsTraceHeader), Some("Root=1-5759e988"));
    assert_eq!(system(&received, System::ApproximateReceiveCount), Some("1"));
    assert!(system(&received, System::SentTimestamp).is_some());
    assert_eq!(system(&received, System::DeadLetterQueueSourceArn), None);
}

pub(crate) async fn a_receive_gets_the_attributes_it_asks_for(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    let send = fixture.sqs.send_message().queue_url(queue).message_body("x");
    let send = send.message_attributes("trace.id", text("1")).message_attributes("trace.span", text("2"));
    let sent = send.message_attributes("function", text("f")).send().await.unwrap();

    for (wanted, expected) in [
        (None, vec![]),
        (Some("All"), vec!["function", "trace.id", "trace.span"]),
        (Some("trace.*"), vec!["trace.id", "trace.span"]),
        (Some("function"), vec!["function"]),
    ] {
        let receive = fixture.sqs.receive_message().queue_url(queue).visibility_timeout(0);
        let receive = receive.set_message_attribute_names(wanted.map(|name| vec![name.to_owned()]));
        let mut messages = receive.send().await.unwrap().messages.unwrap();
        let message = messages.remove(0);
        let attributes = message.message_attributes.clone().unwrap_or_default();
        let mut names: Vec<&String> = attributes.keys().collect();
        names.sort();
        assert_eq!(names, expected, "{wanted:?}");
        assert!(message.attributes().is_none(), "no system attribute was asked for: {message:?}");
        // The digest is of what is in the answer, so that clients can check it.
        let whole = message.md5_of_message_attributes() == sent.md5_of_message_attributes();
        assert_eq!(whole, expected.len() == 3, "{wanted:?}");
    }
}

pub(crate) async fn a_send_wakes_a_long_poll(fixture: Fixture) {
    let started = Instant::now();
    let (message, ()) = tokio::join!(fixture.receive_one(&fixture.endpoint.queue_url, 20), async {
        fixture.counted("SQS.ReceiveMessage", 1).await;
        fixture.send("wake up").await;
    });
    assert_eq!(message.body(), Some("wake up"));
    assert!(started.elapsed() < WELL_BEFORE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_receive_whose_client_has_gone_takes_nothing() {
    let fixture = Fixture::start().await;
    let queue = fixture.endpoint.queue_url.clone();
    for _ in 0..5 {
        let (leaver, _) =
            clients(&fixture.endpoint, &fixture.endpoint.access_key_id, &fixture.endpoint.secret_access_key);
        let before = fixture.requests("SQS.ReceiveMessage");
        let receive = leaver.receive_message().queue_url(&queue).wait_time_seconds(20).send();
        tokio::select! {
            _ = receive => panic!("there was nothing to receive"),
            () = fixture.counted("SQS.ReceiveMessage", before + 1) => {}
        }
    }
    fixture.send("for those who stay").await;
    assert_eq!(fixture.receive_one(&queue, 5).await.body(), Some("for those who stay"));
}

pub(crate) async fn a_delayed_message_ends_a_wait_when_it_is_due(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    let started = Instant::now();
    let send = fixture.sqs.send_message().queue_url(queue).message_body("later").delay_seconds(1);
    send.send().await.unwrap();
    assert!(fixture.receive(queue, 0).await.is_empty());
    fixture.receive_one(queue, 20).await;
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(started.elapsed() < WELL_BEFORE, "{:?}", started.elapsed());
}

pub(crate) async fn a_message_comes_back_when_its_visibility_ends(fixture: Fixture) {
    let queue = fixture.queue("short", &[("VisibilityTimeout", "1")]).await;
    fixture.sqs.send_message().queue_url(&queue).message_body("again").send().await.unwrap();
    let started = Instant::now();
    let first = fixture.receive_one(&queue, 0).await;
    assert!(fixture.receive(&queue, 0).await.is_empty());
    let second = fixture.receive_one(&queue, 20).await;
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(system(&second, System::ApproximateReceiveCount), Some("2"));
    let first_received = System::ApproximateFirstReceiveTimestamp;
    assert_eq!(system(&second, first_received.clone()), system(&first, first_received));

    // Only the latest receipt is good for anything.
    let delete = fixture.sqs.delete_message().queue_url(&queue);
    delete.clone().receipt_handle(first.receipt_handle().unwrap()).send().await.unwrap();
    fixture.receive_one(&queue, 20).await;
    assert_eq!(code(delete.receipt_handle("none").send().await), "ReceiptHandleIsInvalid");
}

pub(crate) async fn a_message_that_is_given_back_is_there_at_once(fixture: Fixture) {
    let queue = &fixture.endpoint.queue_url;
    fixture.send("no, thanks").await;
    let received = fixture.receive_one(queue, 0).await;
    let change = fixture.sqs.change_message_visibility().queue_url(queue);
    let change = change.receipt_handle(received.receipt_handle().unwrap());
    let started = Instant::now();
    let (second, ()) = tokio::join!(fixture.receive_one(queue, 20), async {
        fixture.counted("SQS.ReceiveMessage", 2).await;
        change.clone().visibility_timeout(0).send().await.unwrap();
    });
    assert!(started.elapsed() < WELL_BEFORE, "{:?}", started.elapsed());
    assert_eq!(system(&second, System::ApproximateReceiveCount), Some("2"));
    let stale = change.clone().visibility_timeout(30).send().await;
    assert!(stale.unwrap_err().into_service_error().is_message_not_inflight());
    let too_long = change.visibility_timeout(43_201).send().await;
    assert_eq!(code(too_long), "InvalidParameterValue");

    let delete = fixture.sqs.delete_message().queue_url(queue);
    delete.receipt_handle(second.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(fixture.count(queue, "ApproximateNumberOfMessagesNotVisible").await, "0");
}

pub(crate) async fn what_was_received_too_often_goes_to_the_dead_letter_queue(fixture: Fixture) {
    let dead_letters = fixture.queue("dead", &[]).await;
    let arn = fixture.count(&dead_letters, "QueueArn").await;
    let policy = format!(r#"{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "2"}}"#);
    let queue = fixture.queue("alive", &[("RedrivePolicy", &policy), ("VisibilityTimeout", "0")]).await;
    // More than one receive returns: none of them may be received a third time.
    for number in 0..25 {
        let body = number.to_string();
        fixture.sqs.send_message().queue_url(&queue).message_body(body).send().await.unwrap();
    }
    let mut receives = 0;
    loop {
        let messages = fixture.receive(&queue, 0).await;
        if messages.is_empty() {
            break;
        }
        receives += messages.len();
    }
    assert_eq!(receives, 50);
    assert_eq!(fixture.count(&dead_letters, "ApproximateNumberOfMessages").await, "25");
    let dead = fixture.receive(&dead_letters, 0).await.remove(0);
    assert_eq!(
        system(&dead, System::DeadLetterQueueSourceArn),
        Some(fixture.count(&queue, "QueueArn").await.as_str())
    );
    assert_eq!(system(&dead, System::ApproximateReceiveCount), Some("1"));
}
