//! Stopping and coming back: signals, kill -9, and what lasts.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{Fleet, PATIENCE};

async fn submit(fleet: &Fleet, name: &str, input: Value) -> String {
    let submit = fleet.request(Method::POST, &format!("/v1/functions/{name}/executions")).json(&input);
    let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
    accepted["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_runs_ends_before_the_process_does() {
    let (data, scratch) = (TempDir::new().unwrap(), Scratch::new());
    let mut fleet = Fleet::over(data.path(), &[scratch.setting()]).await;
    fleet.create("slow", "File.write('begun', ''); sleep 1; event", json!({})).await;
    let urls = [submit(&fleet, "slow", json!(1)).await, submit(&fleet, "slow", json!(2)).await];
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
    let url = submit(&fleet, "slow", json!(null)).await;
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
    submit(&fleet, "slow", json!(null)).await;
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
        urls.push(submit(&fleet, "echo", json!(number)).await);
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
    let fleet = Fleet::start_with(&[("BADLAMBDA_VISIBILITY_SECONDS", "10")]).await;
    fleet.create("slow", "sleep 12; context.attempt", json!({})).await;
    let execution = fleet.execute("slow", &json!(null)).await;
    assert_eq!((&execution["result"], &execution["attempts"]), (&json!(1), &json!(1)));
    fleet.queue_is_empty().await;
}

/// A folder for scratch folders, in which executions show that they have begun.
struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(TempDir::with_prefix_in("badlambda-test-", "/dev/shm").unwrap())
    }

    fn setting(&self) -> (&'static str, &str) {
        ("BADLAMBDA_SCRATCH_DIR", self.0.path().to_str().unwrap())
    }

    /// Waits until so many executions have written their file.
    async fn begun(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let folders = std::fs::read_dir(self.0.path()).unwrap();
            let begun =
                folders.filter(|folder| folder.as_ref().unwrap().path().join("scratch/begun").exists());
            if begun.count() >= count {
                return;
            }
            assert!(Instant::now() < deadline, "not begun");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
