//! Another SQS and S3 than the embedded ones: `BADLAMBDA_TEST_ON` is its URL, where `tests/run` has started one. Then
//! the same tests run on it, but those that `tests/run` leaves out with a reason.

use std::process::Command;

use aws_sdk_sqs::types::QueueAttributeName;
use badlambda_tests::addresses::tell;
use serde_json::{Value, json};

use crate::fleet::program;
use crate::stacks;

/// Its URL, if the tests are to run on it.
pub fn url() -> Option<String> {
    std::env::var("BADLAMBDA_TEST_ON").ok().filter(|url| !url.is_empty())
}

/// A queue, its dead-letter queue and a bucket there, made from the template of the system on AWS.
pub async fn addresses(url: &str) -> Value {
    let outputs = stacks::create(url, &stacks::new_name()).await;
    let mut addresses = stacks::emulator(url);
    addresses["queue_url"] = outputs["QueueUrl"].clone();
    addresses["dead_letter_queue_url"] = outputs["DeadLetterQueueUrl"].clone();
    addresses["bucket"] = outputs["BucketName"].clone();
    addresses
}

/// Makes a queue that gives messages up to this dead-letter queue after so many receives; returns its URL.
pub async fn queue_with_dead_letters(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    dead_letter_url: &str,
    receives: u32,
) -> String {
    let arn = QueueAttributeName::QueueArn;
    let asked = sqs.get_queue_attributes().queue_url(dead_letter_url).attribute_names(arn.clone());
    let attributes = asked.send().await.unwrap().attributes.unwrap();
    let policy = json!({"deadLetterTargetArn": attributes[&arn], "maxReceiveCount": receives.to_string()});
    let create = sqs
        .create_queue()
        .queue_name(name)
        .attributes(QueueAttributeName::RedrivePolicy, policy.to_string())
        .attributes(QueueAttributeName::MessageRetentionPeriod, "1209600");
    create.send().await.unwrap().queue_url.unwrap()
}

/// A program that is told of these addresses.
pub fn configured(name: &str, addresses: &Value) -> Command {
    let mut command = program(name);
    tell(&mut command, addresses);
    command
}
