//! A received message as AWS Lambda hands it to functions.

use std::collections::HashMap;

use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};
use aws_smithy_types::base64;
use serde_json::{Map, Value, json};

use super::Message;
use super::messages::OWN_PREFIX;

impl Message {
    /// The record of an event, of the queue with this ARN. Its `receiptHandle` is empty: the message is the worker's, and
    /// function code can neither delete it nor hold it.
    pub(crate) fn record(&self, queue_arn: &str) -> Value {
        let theirs = self.attributes.iter().filter(|(name, _)| !name.starts_with(OWN_PREFIX));
        let theirs: Map<String, Value> =
            theirs.map(|(name, value)| (name.clone(), attribute(value))).collect();
        json!({
            "messageId": self.message_id,
            "receiptHandle": "",
            "body": self.body,
            "attributes": system_attributes(&self.system),
            "messageAttributes": theirs,
            "md5OfBody": self.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": queue_arn.split(':').nth(3),
        })
    }
}

fn system_attributes(system: &HashMap<MessageSystemAttributeName, String>) -> Map<String, Value> {
    system.iter().map(|(name, text)| (name.as_str().to_owned(), json!(text))).collect()
}

fn attribute(value: &MessageAttributeValue) -> Value {
    let mut shown = json!({"stringListValues": [], "binaryListValues": [], "dataType": value.data_type()});
    if let Some(text) = value.string_value() {
        shown["stringValue"] = json!(text);
    }
    if let Some(bytes) = value.binary_value() {
        shown["binaryValue"] = json!(base64::encode(bytes));
    }
    shown
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::primitives::Blob;

    use super::*;

    fn message() -> Message {
        let attribute = |data_type: &str| MessageAttributeValue::builder().data_type(data_type);
        let message = aws_sdk_sqs::types::Message::builder()
            .message_id("6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11")
            .receipt_handle("secret")
            .body("plain text")
            .md5_of_body("31bc5c2b8fd4f20cd747347b7504a385")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "1")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1700000000000")
            .message_attributes("kind", attribute("String").string_value("order").build().unwrap())
            .message_attributes("raw", attribute("Binary").binary_value(Blob::new([1, 2])).build().unwrap())
            .message_attributes("badlambda_history", attribute("String").string_value("{}").build().unwrap());
        Message::from_sqs(message.build()).unwrap()
    }

    #[test]
    fn a_record_is_as_aws_has_it() {
        let expected = json!({
            "messageId": "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11",
            "receiptHandle": "",
            "body": "plain text",
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
            "messageAttributes": {
                "kind": {"stringValue": "order", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
                "raw": {"binaryValue": "AQI=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
            },
            "md5OfBody": "31bc5c2b8fd4f20cd747347b7504a385",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:executions",
            "awsRegion": "eu-west-1",
        });
        assert_eq!(message().record("arn:aws:sqs:eu-west-1:111122223333:executions"), expected);
    }
}
