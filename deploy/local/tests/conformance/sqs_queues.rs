//! Queues: made, found, listed, counted, emptied; and what is answered where there is none.

use aws_sdk_sqs::types::QueueAttributeName;

use crate::fixture::{Fixture, clients, code};

impl Fixture {
    /// One of a queue's attributes.
    pub(crate) async fn count(&self, queue: &str, attribute: &str) -> String {
        let name = QueueAttributeName::from(attribute);
        let get = self.sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone());
        get.send().await.unwrap().attributes.unwrap().remove(&name).unwrap()
    }
}

pub(crate) async fn queues_are_made_found_and_listed(fixture: Fixture) {
    let url = fixture.queue("jobs-a", &[("VisibilityTimeout", "7")]).await;
    assert_eq!(fixture.queue("jobs-a", &[("VisibilityTimeout", "7")]).await, url, "it is there already");
    let other = fixture.sqs.create_queue().queue_name(fixture.name("jobs-a"));
    let other = other.attributes(QueueAttributeName::VisibilityTimeout, "8").send().await;
    assert!(other.unwrap_err().into_service_error().is_queue_name_exists());
    let found = fixture.sqs.get_queue_url().queue_name(fixture.name("jobs-a")).send().await.unwrap();
    assert_eq!(found.queue_url(), Some(url.as_str()));

    let second = fixture.queue("jobs-b", &[]).await;
    let listed = fixture.sqs.list_queues().queue_name_prefix(fixture.name("jobs-")).send().await.unwrap();
    assert_eq!(listed.queue_urls(), [url, second]);
    let all = fixture.sqs.list_queues().send().await.unwrap();
    assert!(all.queue_urls().contains(&fixture.endpoint.queue_url));
    assert!(all.queue_urls().contains(&fixture.endpoint.dead_letter_queue_url));
}

#[tokio::test]
async fn a_queue_that_can_not_be_here_is_refused() {
    let fixture = Fixture::start().await;
    for name in ["", "no spaces", &"x".repeat(81)] {
        let refused = fixture.sqs.create_queue().queue_name(name).send().await;
        assert_eq!(code(refused), "InvalidParameterValue", "{name}");
    }
    let fifo = fixture.sqs.create_queue().queue_name("f").attributes(QueueAttributeName::FifoQueue, "true");
    assert!(fifo.send().await.unwrap_err().into_service_error().is_unsupported_operation());
}

pub(crate) async fn attributes_can_be_set_and_messages_counted(fixture: Fixture) {
    let queue = fixture.queue("counted", &[]).await;
    let set = fixture.sqs.set_queue_attributes().queue_url(&queue);
    set.clone().attributes(QueueAttributeName::VisibilityTimeout, "90").send().await.unwrap();
    assert_eq!(fixture.count(&queue, "VisibilityTimeout").await, "90");
    let refused = set.clone().attributes(QueueAttributeName::VisibilityTimeout, "43201").send().await;
    assert!(refused.unwrap_err().into_service_error().is_invalid_attribute_value());
    let unknown = set.attributes("Color".into(), "red").send().await;
    assert!(unknown.unwrap_err().into_service_error().is_invalid_attribute_name());

    let send = fixture.sqs.send_message().queue_url(&queue).message_body("x");
    for _ in 0..3 {
        send.clone().send().await.unwrap();
    }
    send.delay_seconds(900).send().await.unwrap();
    fixture.sqs.receive_message().queue_url(&queue).send().await.unwrap();
    assert_eq!(fixture.count(&queue, "ApproximateNumberOfMessages").await, "2");
    assert_eq!(fixture.count(&queue, "ApproximateNumberOfMessagesNotVisible").await, "1");
    assert_eq!(fixture.count(&queue, "ApproximateNumberOfMessagesDelayed").await, "1");
    assert_eq!(fixture.count(&queue, "QueueArn").await, fixture.arn("counted"));

    fixture.sqs.purge_queue().queue_url(&queue).send().await.unwrap();
    let all = fixture.sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::All);
    let all = all.send().await.unwrap().attributes.unwrap();
    assert_eq!(all[&QueueAttributeName::VisibilityTimeout], "90");
    let counts = all.iter().filter(|(name, _)| name.as_str().starts_with("ApproximateNumber"));
    assert_eq!(counts.map(|(_, count)| count.as_str()).collect::<Vec<_>>(), ["0"; 3]);
}

pub(crate) async fn an_empty_redrive_policy_is_none(fixture: Fixture) {
    let policy = QueueAttributeName::RedrivePolicy;
    let set = fixture.sqs.set_queue_attributes().queue_url(&fixture.endpoint.queue_url);
    set.attributes(policy.clone(), "").send().await.unwrap();
    let get = fixture.sqs.get_queue_attributes().queue_url(&fixture.endpoint.queue_url);
    let got = get.attribute_names(policy).send().await.unwrap();
    assert_eq!(got.attributes.unwrap_or_default().len(), 0);
}

pub(crate) async fn a_queue_that_is_not_there_does_not_exist(fixture: Fixture) {
    let url = format!("{}-not", fixture.endpoint.queue_url);
    let send = fixture.sqs.send_message().queue_url(&url).message_body("x").send().await;
    assert!(send.unwrap_err().into_service_error().is_queue_does_not_exist());
    let receive = fixture.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send().await;
    assert!(receive.unwrap_err().into_service_error().is_queue_does_not_exist());
    let found = fixture.sqs.get_queue_url().queue_name("not").send().await;
    assert!(found.unwrap_err().into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn an_operation_that_is_not_here_says_so() {
    let fixture = Fixture::start().await;
    let untag = fixture.sqs.untag_queue().queue_url(&fixture.endpoint.queue_url).tag_keys("x").send().await;
    assert!(untag.unwrap_err().into_service_error().is_unsupported_operation());
    // One that names no queue, too.
    let arn = "arn:aws:sqs:us-east-1:000000000000:x";
    let tasks = fixture.sqs.list_message_move_tasks().source_arn(arn).send().await;
    assert!(tasks.unwrap_err().into_service_error().is_unsupported_operation());
}

#[tokio::test]
async fn only_the_holder_of_the_key_is_served() {
    let fixture = Fixture::start().await;
    let (key_id, secret) = (&fixture.endpoint.access_key_id, &fixture.endpoint.secret_access_key);
    let (guesser, _) = clients(&fixture.endpoint, key_id, "a guess");
    assert_eq!(code(guesser.list_queues().send().await), "SignatureDoesNotMatch");
    let (stranger, _) = clients(&fixture.endpoint, "SOMEONE", secret);
    assert_eq!(code(stranger.list_queues().send().await), "InvalidClientTokenId");

    let unsigned = reqwest::Client::new().post(format!("{}/", fixture.endpoint.url));
    let unsigned = unsigned.header("x-amz-target", "AmazonSQS.ListQueues").body("{}");
    assert_eq!(unsigned.send().await.unwrap().status(), 403);
    assert_eq!(fixture.embedded().requests(), Default::default(), "strangers are not counted");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let fixture = Fixture::start().await;
    let large = reqwest::Client::new().post(format!("{}/", fixture.endpoint.url));
    let large = large.header("x-amz-target", "AmazonSQS.SendMessage").body("x".repeat(5 * 1024 * 1024));
    // The answer may come while the request is still being sent.
    if let Ok(answer) = large.send().await {
        assert_eq!(answer.status(), 413);
    }
    fixture.send("the server is there").await;
}
