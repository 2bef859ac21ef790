//! Queues that are told how executions end.

use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;
use crate::fixtures::queues::{queue, told};

#[tokio::test]
async fn queues_are_told_what_succeeds_and_what_fails_for_good() {
    let fleet = Fleet::start().await;
    let (succeeded, success_arn) = queue(&fleet, "succeeded").await;
    let (failed, failure_arn) = queue(&fleet, "failed").await;
    let code = "raise ArgumentError, \"odd\" if event.is_a?(Integer) && event.odd?\nevent";
    let config = json!({"on_success": success_arn, "on_failure": failure_arn, "retries": 1});
    fleet.create("even", code, config).await;

    let id = fleet.send("2", Some("even")).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:even:1";
    let expected = json!({
        "version": "1.0", "timestamp": null,
        "requestContext": {"requestId": id, "functionArn": arn, "condition": "Success", "approximateInvokeCount": 1},
        "requestPayload": 2,
        "responseContext": {"statusCode": 200, "executedVersion": "1"},
        "responsePayload": 2,
    });
    assert_eq!(told(&fleet, &succeeded).await, expected);

    let failure = fleet.execute("even", &json!(3)).await;
    let body = told(&fleet, &failed).await;
    assert_eq!(body["requestContext"]["requestId"], failure["id"]);
    assert_eq!(body["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(body["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(body["responseContext"]["functionError"], "Unhandled");
    assert_eq!(body["responsePayload"]["errorMessage"], "odd");
    assert_eq!(
        (&body["requestPayload"], &body["responsePayload"]["errorType"]),
        (&json!(3), &json!("Function<ArgumentError>"))
    );

    // More than stands in a record, and more than fits into a message.
    let large = json!("x".repeat(300 * 1024));
    fleet.execute("even", &large).await;
    let body = told(&fleet, &succeeded).await;
    assert_eq!((&body["requestPayload"], &body["responsePayload"]), (&large, &large));
    let larger = json!("x".repeat(700 * 1024));
    fleet.execute("even", &larger).await;
    let body = told(&fleet, &succeeded).await;
    assert_eq!((&body["requestPayload"], &body["responsePayload"]), (&larger, &Value::Null));
}

#[tokio::test]
async fn a_queue_that_is_not_there_holds_up_nothing() {
    let fleet = Fleet::start().await;
    let arn = "arn:aws:sqs:us-east-1:000000000000:nowhere";
    fleet.create("hello", "1", json!({"on_success": arn})).await;
    assert_eq!(fleet.execute("hello", &json!(null)).await["status"], "succeeded");
    fleet.queue_is_empty().await;
}
