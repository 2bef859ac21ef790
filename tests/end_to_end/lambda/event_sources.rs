//! Messages of the queue that name no function, as events of one.

use serde_json::json;

use super::programs::Settings;
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn a_mapping_makes_plain_messages_events() {
    let fleet = Fleet::start().await;
    fleet.create("mapped", "event", json!({})).await;
    let urls = ["aws", "queue_url", "dead_letter_queue_url", "api"].map(|name| fleet.address(name));
    let arguments = [urls.as_slice(), &["mapped"]].concat();
    let seen = Settings::of(&fleet).script("map_queue.py", &arguments).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:mapped";
    let region = fleet.address("region");
    let refused = seen["other"][1].as_str().unwrap();
    assert!(refused.contains("its own queue; use EventSourceArn arn:aws:sqs:"), "{refused}");
    let expected = json!({
        "created": ["Enabled", 5, arn, true],
        "listed": [true],
        "shown": true,
        "second": "ResourceConflictException",
        "other": ["InvalidParameterValueException", refused],
        "is_ours": [true, true],
        "md5": true,
        "record": {
            "receiptHandle": "",
            "body": "plain text",
            "messageAttributes": {
                "kind": {"stringValue": "order", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
                "raw": {"binaryValue": "AQI=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
            },
            "eventSource": "aws:sqs",
            "awsRegion": region,
        },
        "received": "1",
        "enveloped": 1,
        "disabled": "Disabled",
        "letter": "nobody's",
        "deleted": "Deleting",
        "gone": "ResourceNotFoundException",
    });
    assert_eq!(seen, expected);
}
