//! Another SQS and S3 than the embedded ones: `BADLAMBDA_TEST_ON` is its URL, where `tests/run` has started one. Then
//! the same tests run on it, but those that `tests/run` leaves out with a reason.

use std::process::Command;

use aws_sdk_sqs::types::QueueAttributeName;
use badlambda_tests::addresses::{clients, tell};
use serde_json::{Value, json};

use crate::fleet::program;

/// Its URL, if the tests are to run on it.
pub fn url() -> Option<String> {
    std::env::var("BADLAMBDA_TEST_ON").ok().filter(|url| !url.is_empty())
}

/// A queue, its dead-letter queue and a bucket there, as the embedded servers have them from the beginning.
pub async fn addresses(url: &str) -> Value {
    let name = format!("t{:x}", rand::random::<u64>());
    let mut addresses = json!({
        "aws": url, "bucket": name, "region": "us-east-1", "access_key_id": "test", "secret_access_key": "test",
    });
    let clients = clients(&addresses);
    let (sqs, s3) = (aws_sdk_sqs::Client::new(clients.sdk()), aws_sdk_s3::Client::new(clients.sdk()));
    let s3 = aws_sdk_s3::Client::from_conf(s3.config().to_builder().force_path_style(true).build());
    s3.create_bucket().bucket(&name).send().await.unwrap();
    let dead = sqs.create_queue().queue_name(format!("{name}-dead-letters")).send().await.unwrap();
    let dead = dead.queue_url.unwrap();
    let url = queue_with_dead_letters(&sqs, &format!("{name}-executions"), &dead, 10).await;
    addresses["queue_url"] = json!(url);
    addresses["dead_letter_queue_url"] = json!(dead);
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
