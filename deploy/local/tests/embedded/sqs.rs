//! SQS, one message at a time.

use std::time::{Duration, Instant};

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName as System, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, QueueAttributeName,
};

use crate::fixture::{Servers, clients};

impl Servers {
    pub async fn receive(&self, queue_url: &str, wait_seconds: i32, visibility_seconds: i32) -> Option<Message> {
        let receive = self.sqs.receive_message().queue_url(queue_url).wait_time_seconds(wait_seconds);
        let receive = receive.visibility_timeout(visibility_seconds).message_attribute_names("All");
        let received = receive.message_system_attribute_names(System::All).send().await.unwrap();
        received.messages.unwrap_or_default().pop()
    }

    pub async fn counts(&self) -> [String; 3] {
        let ask = self.sqs.get_queue_attributes().queue_url(&self.aws.queue_url);
        let attributes = ask.attribute_names(QueueAttributeName::All).send().await.unwrap().attributes.unwrap();
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ]
        .map(|name| attributes[&name].clone())
    }
}

#[tokio::test]
async fn a_message_comes_back_with_all_it_was_sent_with() {
    let servers = Servers::start().await;
    let text = MessageAttributeValue::builder().data_type("String").string_value("hello:3").build().unwrap();
    let bytes = aws_sdk_sqs::primitives::Blob::new([0u8, 255]);
    let binary = MessageAttributeValue::builder().data_type("Binary").binary_value(bytes).build().unwrap();
    let trace = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-2-3").build().unwrap();
    let send = servers.sqs.send_message().queue_url(&servers.aws.queue_url).message_body("{\"a\": \"é\"}");
    let send = send.message_attributes("function", text).message_attributes("raw", binary);
    let trace_header = MessageSystemAttributeNameForSends::AwsTraceHeader;
    let sent = send.message_system_attributes(trace_header, trace).message_group_id("hello").send().await.unwrap();
    // The SDK itself checks the MD5 of a received body.
    let message = servers.receive(&servers.aws.queue_url, 5, 30).await.unwrap();
    assert_eq!((message.message_id(), message.body()), (sent.message_id(), Some("{\"a\": \"é\"}")));
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let attributes = message.message_attributes().unwrap();
    assert_eq!(attributes["function"].string_value(), Some("hello:3"));
    assert_eq!(attributes["raw"].binary_value().unwrap().as_ref(), [0, 255]);
    let system = message.attributes().unwrap();
    assert_eq!(system[&System::ApproximateReceiveCount], "1");
    assert_eq!(system[&System::MessageGroupId], "hello");
    assert_eq!(system[&System::AwsTraceHeader], "Root=1-2-3");
    assert!(system[&System::SentTimestamp].parse::<i64>().unwrap() > 1_700_000_000_000);
    let delete = servers.sqs.delete_message().queue_url(&servers.aws.queue_url);
    delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(servers.counts().await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_waiting_receive_is_woken_by_a_send() {
    let servers = Servers::start().await;
    let url = servers.aws.queue_url.clone();
    let started = Instant::now();
    let (received, sent_at) = tokio::join!(servers.receive(&url, 20, 30), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let sent_at = Instant::now();
        servers.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
        sent_at
    });
    assert!(received.is_some());
    assert!(sent_at.elapsed() < Duration::from_secs(5) && started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_receive_whose_client_has_gone_takes_nothing() {
    let servers = Servers::start().await;
    let url = servers.aws.queue_url.clone();
    let gone = tokio::time::timeout(Duration::from_millis(300), servers.receive(&url, 20, 600)).await;
    assert!(gone.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    servers.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    assert!(servers.receive(&url, 2, 30).await.is_some());
}

#[tokio::test]
async fn delay_and_visibility_end_by_themselves() {
    let servers = Servers::start().await;
    let url = servers.aws.queue_url.clone();
    servers.sqs.send_message().queue_url(&url).message_body("x").delay_seconds(1).send().await.unwrap();
    assert_eq!(servers.counts().await, ["0", "0", "1"]);
    assert!(servers.receive(&url, 0, 1).await.is_none());
    let first = servers.receive(&url, 10, 1).await.unwrap();
    assert!(servers.receive(&url, 0, 1).await.is_none());
    assert_eq!(servers.counts().await, ["0", "1", "0"]);
    let second = servers.receive(&url, 10, 600).await.unwrap();
    assert_eq!(second.attributes().unwrap()[&System::ApproximateReceiveCount], "2");
    // The first receive's handle is stale: it deletes nothing.
    let stale = servers.sqs.delete_message().queue_url(&url).receipt_handle(first.receipt_handle().unwrap());
    stale.send().await.unwrap();
    let back = servers.sqs.change_message_visibility().queue_url(&url).visibility_timeout(0);
    back.receipt_handle(second.receipt_handle().unwrap()).send().await.unwrap();
    assert!(servers.receive(&url, 0, 600).await.is_some());
}

#[tokio::test]
async fn what_was_received_too_often_is_dead_lettered() {
    let servers = Servers::start().await;
    let (url, dead) = (servers.aws.queue_url.clone(), servers.aws.dead_letter_queue_url.clone());
    let sent = servers.sqs.send_message().queue_url(&url).message_body("poison").send().await.unwrap();
    for _ in 0..10 {
        assert!(servers.receive(&url, 5, 0).await.is_some());
    }
    assert!(servers.receive(&url, 0, 0).await.is_none());
    let message = servers.receive(&dead, 5, 30).await.unwrap();
    assert_eq!(message.message_id(), sent.message_id());
    let source = &message.attributes().unwrap()[&System::DeadLetterQueueSourceArn];
    assert!(source.ends_with(":badlambda-executions"), "{source}");
}

#[tokio::test]
async fn what_sqs_refuses_is_refused() {
    let servers = Servers::start().await;
    let send = |body: String| servers.sqs.send_message().queue_url(&servers.aws.queue_url).message_body(body).send();
    send("x".repeat(1024 * 1024)).await.unwrap();
    let too_long = send("x".repeat(1024 * 1024 + 1)).await.unwrap_err();
    assert_eq!(too_long.code(), Some("InvalidParameterValue"));
    let control = send("\u{1}".to_owned()).await.unwrap_err();
    assert!(control.into_service_error().is_invalid_message_contents());
    let nowhere = servers.sqs.get_queue_url().queue_name("nowhere").send().await.unwrap_err();
    assert!(nowhere.into_service_error().is_queue_does_not_exist());
    let unsupported = servers.sqs.list_queue_tags().queue_url(&servers.aws.queue_url).send().await.unwrap_err();
    assert!(unsupported.message().unwrap().contains("ListQueueTags"), "{unsupported:?}");
    let (forger, _) = clients(&servers.aws, "another secret");
    let forged = forger.send_message().queue_url(&servers.aws.queue_url).message_body("x").send().await.unwrap_err();
    assert_eq!(forged.raw_response().unwrap().status().as_u16(), 403);
    let unsigned = reqwest::Client::new().post(format!("http://{}/", servers.aws.address));
    let unsigned = unsigned.header("x-amz-target", "AmazonSQS.ListQueues").body("{}").send().await.unwrap();
    assert_eq!(unsigned.status(), 403);
}

#[tokio::test]
async fn queues_are_made_changed_listed_and_purged() {
    let servers = Servers::start().await;
    let create = || servers.sqs.create_queue().queue_name("more").attributes(QueueAttributeName::DelaySeconds, "5");
    let url = create().send().await.unwrap().queue_url.unwrap();
    assert_eq!(create().send().await.unwrap().queue_url.unwrap(), url);
    let other = servers.sqs.create_queue().queue_name("more").attributes(QueueAttributeName::DelaySeconds, "6");
    assert!(other.send().await.unwrap_err().into_service_error().is_queue_name_exists());
    let listed = servers.sqs.list_queues().queue_name_prefix("mo").send().await.unwrap();
    assert_eq!(listed.queue_urls(), [url.clone()]);
    let set = servers.sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::DelaySeconds, "0");
    set.send().await.unwrap();
    let bad = servers.sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::VisibilityTimeout, "-1");
    assert!(bad.send().await.is_err());
    servers.sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    servers.sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert!(servers.receive(&url, 0, 1).await.is_none());
}
