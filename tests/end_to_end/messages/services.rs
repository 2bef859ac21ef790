//! AWS's own services, which send bodies of their own making: to a default function, in an envelope that an input
//! transformer makes, or, from SNS with raw delivery, with the attribute.

use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;
use crate::messages::senders::{boto3_send, function};

/// What SNS makes of a message where delivery is not raw.
fn sns_notification() -> Value {
    json!({
        "Type": "Notification", "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162",
        "TopicArn": "arn:aws:sns:us-east-1:111122223333:orders", "Subject": "an order",
        "Message": "{\"order\": 7}", "Timestamp": "2026-02-03T04:05:06.789Z", "SignatureVersion": "1",
        "Signature": "c2lnbmF0dXJl", "SigningCertURL": "https://sns.us-east-1.amazonaws.com/cert.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": {"function": {"Type": "String", "Value": "order"}}
    })
}

/// What an EventBridge rule delivers. Its `id` and `version` are not an envelope's.
fn eventbridge_event() -> Value {
    json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
        "source": "aws.s3", "account": "111122223333", "time": "2026-02-03T04:05:06Z", "region": "us-east-1",
        "resources": ["arn:aws:s3:::uploads"], "detail": {"bucket": {"name": "uploads"}, "object": {"key": "a b"}}
    })
}

fn s3_notification() -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "uploads"}, "object": {"key": "a+b", "size": 3}}
    }]})
}

/// What S3 sends once when a notification is set up, to see whether it may.
fn s3_test_event() -> Value {
    json!({
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-02-03T04:05:06.789Z", "Bucket": "uploads",
        "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3e"
    })
}

/// Sends it and returns the result.
async fn result(fleet: &Fleet, name: &str, message: Value) -> Value {
    let id = boto3_send(fleet, message).await;
    let execution = fleet.finished(&format!("/v1/functions/{name}/executions/{id}")).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    execution["result"].clone()
}

#[tokio::test]
async fn a_default_function_takes_what_names_none() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_DEFAULT_FUNCTION", "audit")]).await;
    fleet.create("audit", "event", json!({})).await;
    let services = [sns_notification(), eventbridge_event(), s3_notification(), s3_test_event()];
    for body in services.iter().chain(&[json!({"detail": 1}), json!(null), json!("quoted")]) {
        assert_eq!(result(&fleet, "audit", json!({"MessageBody": body.to_string()})).await, *body);
    }
    assert_eq!(result(&fleet, "audit", json!({"MessageBody": "plain text 💎"})).await, "plain text 💎");
}

#[tokio::test]
async fn a_default_function_leaves_what_names_another_alone() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_DEFAULT_FUNCTION", "audit")]).await;
    fleet.create("audit", "raise 'not mine'", json!({})).await;
    fleet.create("order", "event", json!({})).await;
    let raw = json!({"MessageBody": "{\"order\": 7}", "MessageAttributes": function("order")});
    assert_eq!(result(&fleet, "order", raw).await, json!({"order": 7}));
    // What the input template {"function": "order", "input": <aws.events.event.json>} makes of an event.
    let transformed = json!({"function": "order", "input": eventbridge_event()}).to_string();
    assert_eq!(result(&fleet, "order", json!({"MessageBody": transformed})).await, eventbridge_event());
}

#[tokio::test]
async fn without_a_default_function_they_are_dead_lettered() {
    let fleet = Fleet::start().await;
    for body in [sns_notification(), eventbridge_event(), s3_notification(), s3_test_event()] {
        boto3_send(&fleet, json!({"MessageBody": body.to_string()})).await;
        let (dead, reason) = fleet.dead_letter().await;
        assert_eq!(dead, body.to_string());
        assert!(reason.contains("no attribute `function`"), "{reason}");
    }
    fleet.queue_is_empty().await;
}
