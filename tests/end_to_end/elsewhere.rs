//! Another SQS and S3 than the embedded ones: `BADLAMBDA_TEST_ON` is its URL, where `tests/run` has started one. Then
//! the same tests run on it, but those that `tests/run` leaves out with a reason.

use std::process::Command;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::fleet::{clients, program, sqs};

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
    let (sqs, s3) = (sqs(&addresses), aws_sdk_s3::Client::new(clients(&addresses).sdk()));
    let s3 = aws_sdk_s3::Client::from_conf(s3.config().to_builder().force_path_style(true).build());
    s3.create_bucket().bucket(&name).send().await.unwrap();
    let create = |queue: String| sqs.create_queue().queue_name(queue);
    let dead = create(format!("{name}-dead-letters")).send().await.unwrap().queue_url.unwrap();
    let arn = QueueAttributeName::QueueArn;
    let asked = sqs.get_queue_attributes().queue_url(&dead).attribute_names(arn.clone());
    let arn = asked.send().await.unwrap().attributes.unwrap().remove(&arn).unwrap();
    let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": "10" }).to_string();
    let create = create(format!("{name}-executions"))
        .attributes(QueueAttributeName::RedrivePolicy, policy)
        .attributes(QueueAttributeName::MessageRetentionPeriod, "1209600");
    addresses["queue_url"] = json!(create.send().await.unwrap().queue_url);
    addresses["dead_letter_queue_url"] = json!(dead);
    addresses
}

/// A program that is told of these addresses.
pub fn configured(name: &str, addresses: &Value) -> Command {
    let mut command = program(name);
    for (variable, field) in [
        ("AWS_ENDPOINT_URL", "aws"),
        ("AWS_ACCESS_KEY_ID", "access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
        ("AWS_REGION", "region"),
        ("BADLAMBDA_QUEUE_URL", "queue_url"),
        ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "dead_letter_queue_url"),
        ("BADLAMBDA_BUCKET", "bucket"),
    ] {
        command.env(variable, addresses[field].as_str().unwrap());
    }
    if name == "badlambda-worker" && !nix::unistd::geteuid().is_root() {
        command.env("BADLAMBDA_ISOLATION", "unprivileged");
    }
    command
}

/// An address whose port was free a moment ago.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
