//! Stopping and coming back: signals, kill -9, and what lasts.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::deployment::{Deployment, Scratch};
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn what_runs_ends_before_the_process_does() {
    let (data, scratch) = (TempDir::new().unwrap(), Scratch::new());
    let mut fleet = Fleet::over(data.path(), &[scratch.setting()]).await;
    fleet.create("slow", "File.write('begun', ''); sleep 1; event", json!({})).await;
    let urls = [fleet.submit("slow", &json!(1)).await, fleet.submit("slow", &json!(2)).await];
    scratch.begun(2).await;
    fleet.process.signal(Signal::SIGTERM);
    assert_eq!(fleet.process.wait(), Some(0));
    let fleet = Fleet::over(data.path(), &[]).await;
    for (number, url) in urls.iter().enumerate() {
        let execution: Value = fleet.get(url).await.json().await.unwrap();
        assert_eq!((&execution["status"], &execution["result"]), (&json!("succeeded"), &json!(number + 1)));
        assert_eq!(execution["attempts"], 1);
    }
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_handed_back_and_runs_again() {
    let (data, scratch) = (TempDir::new().unwrap(), Scratch::new());
    let settings = [("BADLAMBDA_DRAIN_SECONDS", "1"), scratch.setting()];
    let mut fleet = Fleet::over(data.path(), &settings).await;
    let code = "File.write('begun', ''); sleep(context.attempt == 1 ? 600 : 0); context.attempt";
    fleet.create("slow", code, json!({"timeout_ms": 900_000})).await;
    let url = fleet.submit("slow", &json!(null)).await;
    scratch.begun(1).await;
    fleet.process.signal(Signal::SIGTERM);
    assert_eq!(fleet.process.wait(), Some(0));
    let fleet = Fleet::over(data.path(), &[]).await;
    let execution = fleet.finished(&url).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let scratch = Scratch::new();
    let mut fleet = Fleet::start_with(&[scratch.setting()]).await;
    fleet.create("slow", "File.write('begun', ''); sleep 600", json!({"timeout_ms": 900_000})).await;
    fleet.submit("slow", &json!(null)).await;
    scratch.begun(1).await;
    fleet.process.signal(Signal::SIGTERM);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(fleet.process.child.try_wait().unwrap().is_none(), "it drains");
    let asked_at = Instant::now();
    fleet.process.signal(Signal::SIGTERM);
    assert_eq!(fleet.process.wait(), Some(0));
    assert!(asked_at.elapsed() < Duration::from_secs(3), "{:?}", asked_at.elapsed());
}

#[tokio::test]
async fn everything_accepted_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::over(data.path(), &[("BADLAMBDA_VISIBILITY_SECONDS", "10")]).await;
    fleet.create("echo", "sleep 0.05; event", json!({})).await;
    let mut urls = vec![];
    for number in 0..20 {
        urls.push(fleet.submit("echo", &json!(number)).await);
    }
    fleet.process.signal(Signal::SIGKILL);
    fleet.process.wait();
    let fleet = Fleet::over(data.path(), &[]).await;
    for (number, url) in urls.iter().enumerate() {
        let execution = fleet.finished(url).await;
        assert_eq!(execution["result"], number, "{execution}");
    }
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn a_message_is_kept_from_others_as_long_as_its_execution_runs() {
    let scratch = Scratch::new();
    let fleet = Fleet::start_with(&[("BADLAMBDA_VISIBILITY_SECONDS", "10"), scratch.setting()]).await;
    fleet.create("slow", "File.write('begun', ''); sleep 14; context.attempt", json!({})).await;
    let url = fleet.submit("slow", &json!(null)).await;
    scratch.begun(1).await;
    // Without a renewal a second attempt would begin, and run beside the first.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(scratch.running(), 1);
    let execution = fleet.finished(&url).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!(1), &json!(1)));
    fleet.queue_is_empty().await;
}

#[tokio::test]
async fn under_load_a_drain_gives_back_at_once_what_has_not_begun() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("quick", "event", json!({})).await;
    let (first, last) = (0, 400);
    for n in first..last {
        fleet.send(&json!({"function": "quick", "id": format!("n-{n}"), "input": n}).to_string(), None).await;
    }
    let worker = deployment.worker(&[]).await;
    let begun_at = Instant::now();
    fleet.finished("/v1/functions/quick/executions/n-100").await;
    worker.drain();
    assert!(begun_at.elapsed() < Duration::from_secs(15), "{:?}", begun_at.elapsed());
    // Nothing is held any more, though the visibility timeout is far from over.
    received(fleet, 0).await;
    let worker = deployment.worker(&[("BADLAMBDA_MAX_ATTEMPTS", "1")]).await;
    for n in first..last {
        let execution = fleet.finished(&format!("/v1/functions/quick/executions/n-{n}")).await;
        assert_eq!((&execution["result"], &execution["attempts"]), (&json!(n), &json!(1)), "{execution}");
    }
    fleet.queue_is_empty().await;
    worker.drain();
}

/// Waits until workers hold so many messages.
async fn received(fleet: &Fleet, count: usize) {
    let not_visible = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let ask = fleet.sqs.get_queue_attributes().queue_url(fleet.address("queue_url"));
        let attributes = ask.attribute_names(not_visible.clone()).send().await.unwrap().attributes.unwrap();
        if attributes[&not_visible] == count.to_string() {
            return;
        }
        assert!(Instant::now() < deadline, "{attributes:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
