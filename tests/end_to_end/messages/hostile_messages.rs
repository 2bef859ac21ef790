//! A few hundred hostile messages in the queue of a real fleet, with good ones between them.

#[path = "../../../shared/tests/hostile_messages/generator.rs"]
mod generator;

use std::collections::HashMap;
use std::time::Instant;

use aws_sdk_sqs::types::MessageAttributeValue;
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::message::Received;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::timestamp::Timestamp;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use crate::fixtures::fleet::{Fleet, PATIENCE};
use generator::{Hostile, messages};

const MESSAGES: usize = 300;
const GOOD_ONE_IN: usize = 10;
/// Set to a seed that failed, it is tried again.
const SEED: &str = "HOSTILE_MESSAGES_SEED";

/// A hostile message that SQS took.
struct Sent {
    message_id: String,
    hostile: Hostile,
}

impl Sent {
    /// Where its record is to be expected, if anywhere.
    fn execution(&self) -> Option<(FunctionName, ExecutionId)> {
        let received = Received {
            message_id: &self.message_id,
            body: &self.hostile.body,
            function: self.hostile.function.as_deref(),
            sent_at: Timestamp::now(),
            trace: &Trace::NONE,
        };
        match received.parse(None) {
            Ok(request) => Some((request.function, request.id)),
            Err(bad) => bad.known,
        }
    }
}

#[tokio::test]
async fn they_end_in_a_record_or_among_the_dead_letters_and_harm_no_good_one() {
    let seed =
        std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random::<u64>);
    // Shown where the test fails.
    println!("to try the same messages again: {SEED}={seed}");
    let mut fleet = Fleet::start().await;
    fleet.create("hello", "event", json!({})).await;
    let (mut hostile, mut good) = (vec![], vec![]);
    for (n, message) in generated(seed).into_iter().enumerate() {
        if n % GOOD_ONE_IN == 0 {
            good.push((n, fleet.send(&json!({ "n": n }).to_string(), Some("hello")).await));
        }
        if let Some(message_id) = send(&fleet, &message).await {
            hostile.push(Sent { message_id, hostile: message });
        }
    }
    assert!(hostile.len() > MESSAGES / 3, "SQS took only {}", hostile.len());
    fleet.queue_is_empty().await;
    for (n, id) in good {
        let execution = fleet.finished(&format!("/v1/functions/hello/executions/{id}")).await;
        assert_eq!(execution["result"], json!({ "n": n }), "{execution}");
    }
    let mut dead = dead_letters(&fleet).await;
    for sent in &hostile {
        // A record first: another message with this body may be among the dead letters.
        let is_known = has_final_record(&fleet, sent).await
            || [&sent.hostile.body, &sent.message_id].into_iter().any(|name| take(&mut dead, name));
        assert!(is_known, "lost: {} {:?}", sent.message_id, sent.hostile);
    }
    assert_eq!(fleet.process.child.try_wait().unwrap(), None, "the worker's process has ended");
}

fn generated(seed: u64) -> Vec<Hostile> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut next = || messages().new_tree(&mut runner).unwrap().current();
    (0..MESSAGES).map(|_| next()).collect()
}

/// Sends it, and returns its MessageId, unless SQS refuses it.
async fn send(fleet: &Fleet, hostile: &Hostile) -> Option<String> {
    let attributes = [("function", &hostile.function), ("traceparent", &hostile.traceparent)];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let others = hostile.others.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut send = fleet.sqs.send_message().queue_url(fleet.address("queue_url")).message_body(&hostile.body);
    for (name, value) in attributes.chain(others) {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        send = send.message_attributes(name, value.unwrap());
    }
    let sent = send.send().await;
    sent.ok().map(|sent| sent.message_id.unwrap())
}

/// How many messages lie in the dead-letter queue, each with a reason, by their body, or, where it was too large for
/// that, by the id that they had.
async fn dead_letters(fleet: &Fleet) -> HashMap<String, usize> {
    let mut letters = HashMap::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "they do not end: {letters:?}");
        let receive = fleet.sqs.receive_message().queue_url(fleet.address("dead_letter_queue_url"));
        let receive = receive.max_number_of_messages(10).message_attribute_names("All");
        let received = receive.send().await.unwrap();
        if received.messages().is_empty() {
            return letters;
        }
        for message in received.messages() {
            let text = |name| message.message_attributes()?.get(name)?.string_value();
            assert!(text("badlambda_reason").is_some_and(|reason| !reason.is_empty()), "{message:?}");
            let name = match text("badlambda_body_key") {
                Some(key) => key.rsplit('/').next().unwrap(),
                None => message.body().unwrap(),
            };
            *letters.entry(name.to_owned()).or_default() += 1;
        }
    }
}

fn take(dead: &mut HashMap<String, usize>, name: &str) -> bool {
    let Some(left) = dead.get_mut(name).filter(|left| **left > 0) else { return false };
    *left -= 1;
    true
}

async fn has_final_record(fleet: &Fleet, sent: &Sent) -> bool {
    let Some((function, id)) = sent.execution() else { return false };
    let answer = fleet.get(&format!("/v1/functions/{function}/executions/{id}")).await;
    // A result may hold a number that only a reader who leaves it as it is can read.
    answer.status() == 200 && answer.json::<Execution>().await.unwrap().status.is_final()
}
