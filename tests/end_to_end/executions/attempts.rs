//! Which attempts count, and what comes after the last.

use badlambda_shared::dead_letters::Selection;
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::elsewhere::{configured, queue_with_dead_letters};
use crate::fixtures::fleet::Fleet;

const LONG: &str =
    "File.write('begun', ''); sleep(event['sleeps'].include?(context.attempt) ? 600 : 0); context.attempt";

#[tokio::test]
async fn what_failed_is_tried_again_as_often_as_its_config_says() {
    let fleet = Fleet::start().await;
    let code = "raise 'not yet' if context.attempt < 3; context.attempt";
    fleet.create("third", code, json!({"retries": 2})).await;
    fleet.create("second", code, json!({"retries": 1})).await;
    let (third, second) =
        tokio::join!(fleet.execute("third", &json!(null)), fleet.execute("second", &json!(null)));
    assert_eq!((&third["result"], &third["attempts"]), (&json!(3), &json!(3)), "{third}");
    assert_eq!((&second["status"], &second["attempts"]), (&json!("failed"), &json!(2)));
    assert_eq!(second["error"]["message"], "not yet");
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn a_function_asks_to_be_tried_again_or_not_to_be() {
    let fleet = Fleet::start().await;
    fleet
        .create("later", "raise BadLambda::Retry.in(2) if context.attempt == 1; context.attempt", json!({}))
        .await;
    fleet.create("soon", "raise BadLambda::Retry, 'busy' if context.attempt == 1; 1", json!({})).await;
    fleet.create("never", "raise BadLambda::NoRetry, 'a bad order'", json!({"retries": 5})).await;
    fleet.create("always", "raise BadLambda::Retry.in(0, 'again')", json!({})).await;
    let input = json!(null);
    let (later, soon, never, always) = tokio::join!(
        fleet.execute("later", &input),
        fleet.execute("soon", &input),
        fleet.execute("never", &input),
        fleet.execute("always", &input)
    );
    assert_eq!((&later["result"], &later["attempts"]), (&json!(2), &json!(2)), "{later}");
    assert!(seconds_between(&later, "submitted_at", "started_at") >= 2.0, "{later}");
    assert_eq!(soon["attempts"], 2, "{soon}");
    let error = &never["error"];
    assert_eq!((&never["attempts"], &error["type"]), (&json!(1), &json!("BadLambda::NoRetry")), "{never}");
    // As often as a config could have asked for: the first attempt and eight more.
    let error = &always["error"];
    assert_eq!((&always["attempts"], &error["message"]), (&json!(9), &json!("again")), "{always}");
}

fn seconds_between(execution: &Value, from: &str, to: &str) -> f64 {
    let at = |name: &str| {
        let at: badlambda_shared::timestamp::Timestamp =
            serde_json::from_value(execution[name].clone()).unwrap();
        at.unix_ms()
    };
    (at(to) - at(from)) as f64 / 1000.0
}

#[tokio::test]
async fn what_its_workers_did_not_survive_is_given_up() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    // With one slot, so that no receive is under way whose answer would be lost with the worker, and count.
    let settings = [("BADLAMBDA_MAX_ATTEMPTS", "1"), ("BADLAMBDA_SLOTS", "1")];
    let worker = deployment.worker(&settings).await;
    fleet.create("long", LONG, json!({"timeout_ms": 900_000})).await;
    let url = fleet.submit("long", &json!({"sleeps": [1]})).await;
    deployment.scratch.begun(1).await;
    worker.kill();
    let _worker = deployment.worker(&settings).await;
    let execution = fleet.finished(&url).await;
    assert_eq!((&execution["error"]["kind"], &execution["attempts"]), (&json!("worker_lost"), &json!(1)));
    let (body, reason) = fleet.dead_letter().await;
    assert!(body.contains("\"sleeps\":[1]") && reason.contains("without an answer"), "{body}: {reason}");
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn what_drains_hand_back_uses_up_no_attempt() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let settings =
        [("BADLAMBDA_MAX_ATTEMPTS", "1"), ("BADLAMBDA_DRAIN_SECONDS", "0"), ("BADLAMBDA_SLOTS", "1")];
    fleet.create("long", LONG, json!({"timeout_ms": 900_000})).await;
    let url = fleet.submit("long", &json!({"sleeps": [1, 2, 3]})).await;
    for _ in 0..3 {
        let worker = deployment.worker(&settings).await;
        deployment.scratch.begun(1).await;
        worker.drain();
        deployment.scratch.begun(0).await;
    }
    let _worker = deployment.worker(&settings).await;
    let execution = fleet.finished(&url).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!(4), &json!(4)), "{execution}");
}

#[tokio::test]
async fn a_message_that_sqs_would_give_up_is_renewed() {
    let mut deployment = Deployment::start().await;
    let url = queue_that_gives_up_after(&deployment.fleet, 2).await;
    deployment.fleet.addresses["queue_url"] = json!(url);
    let fleet = &deployment.fleet;
    let _worker = deployment.worker(&[("BADLAMBDA_MAX_ATTEMPTS", "1")]).await;
    let code = "raise BadLambda::Retry.in(0) if context.attempt < 7; [event, context.attempt]";
    fleet.create("seventh", code, json!({})).await;
    let id = fleet.send("\"a\"", Some("seventh")).await;
    let execution = fleet.finished(&format!("/v1/functions/seventh/executions/{id}")).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!(["a", 7]), &json!(7)), "{execution}");
    fleet.queue_is_empty().await;
    assert!(deployment.dead_letters().list(&Selection::all(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_queue_that_gives_up_before_the_worker_does_is_refused() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let url = queue_that_gives_up_after(fleet, 3).await;
    let mut command = configured("badlambda-worker", &fleet.addresses);
    command.env("BADLAMBDA_QUEUE_URL", url).env("BADLAMBDA_LISTEN", "127.0.0.1:0");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("maxReceiveCount, 3, must be greater than BADLAMBDA_MAX_ATTEMPTS, 5"), "{told}");
}

async fn queue_that_gives_up_after(fleet: &Fleet, receives: u32) -> String {
    let name = format!("gives-up-{:x}", rand::random::<u64>());
    let dead_letter_url = fleet.address("dead_letter_queue_url");
    queue_with_dead_letters(&fleet.sqs, &name, dead_letter_url, receives).await
}

#[tokio::test]
async fn an_input_for_the_bucket_arrives_whole() {
    let fleet = Fleet::start().await;
    fleet.create("size", "event.sum(&:bytesize)", json!({})).await;
    let execution = fleet.execute("size", &json!(["é".repeat(500_000), "x".repeat(3_000_000)])).await;
    assert_eq!(execution["result"], 4_000_000, "{}", execution["error"]);
}
