//! Scale-in protection on ECS: while the worker runs what may take longer than its grace period, ECS is asked to end
//! other tasks first. Nothing depends on it: what is ended all the same is handed back, and runs again.
//!
//! The agent's API: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The agent answers within a second, or waits for AWS for a few.
const CALL_PATIENCE: Duration = Duration::from_secs(10);
/// After a failure, and while there is nothing to protect any more: often the next long execution follows.
const PAUSE: Duration = Duration::from_secs(10);
/// What ECS accepts, in minutes.
const MOST_MINUTES: u64 = 2880;
const MINUTE: Duration = Duration::from_secs(60);

/// The long executions under way.
#[derive(Clone, Debug)]
pub(crate) struct TaskProtection(Arc<State>);

#[derive(Debug)]
struct State {
    /// What takes no longer than this ends within the grace period.
    grace: Duration,
    ends: Mutex<Ends>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Ends {
    latest_number: u64,
    by_number: HashMap<u64, Instant>,
}

/// A long execution, until it is dropped.
#[derive(Debug)]
pub(crate) struct Cover {
    protection: TaskProtection,
    number: u64,
}

impl TaskProtection {
    /// For a worker with this grace period.
    pub(crate) fn new(grace: Duration) -> Self {
        Self(Arc::new(State { grace, ends: Mutex::default(), changed: Notify::new() }))
    }

    /// Covers an execution that may take up to `longest`, if it may outlast the grace period.
    pub(crate) fn cover(&self, longest: Duration) -> Option<Cover> {
        if longest <= self.0.grace {
            return None;
        }
        let mut ends = self.lock();
        ends.latest_number += 1;
        let number = ends.latest_number;
        ends.by_number.insert(number, Instant::now() + longest);
        self.0.changed.notify_one();
        Some(Cover { protection: self.clone(), number })
    }

    /// Keeps ECS informed until `ended`.
    pub(crate) async fn keep(self, agent_uri: String, ended: CancellationToken) {
        let url = format!("{}/task-protection/v1/state", agent_uri.trim_end_matches('/'));
        let client = match reqwest::Client::builder().no_proxy().timeout(CALL_PATIENCE).build() {
            Ok(client) => client,
            Err(error) => return tracing::warn!(%error, "no scale-in protection: no HTTP client"),
        };
        let mut protected_until: Option<Instant> = None;
        loop {
            let pause = match (self.latest_end(), protected_until) {
                (Some(end), until) if until.is_none_or(|until| until < end) => {
                    let minutes = minutes_until(end);
                    match tell(&client, &url, Some(minutes)).await {
                        Ok(()) => {
                            protected_until = Some(Instant::now() + MINUTE * minutes as u32);
                            None
                        }
                        Err(error) => {
                            tracing::warn!(error = format!("{error:#}"), "ECS did not protect this task");
                            Some(PAUSE)
                        }
                    }
                }
                (None, Some(_)) => {
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = self.0.changed.notified() => continue,
                        () = ended.cancelled() => return,
                    }
                    // It would end by itself in time.
                    if let Err(error) = tell(&client, &url, None).await {
                        tracing::warn!(error = format!("{error:#}"), "ECS still protects this task");
                    }
                    protected_until = None;
                    None
                }
                _ => None,
            };
            tokio::select! {
                () = self.0.changed.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or(Duration::MAX)), if pause.is_some() => {}
                () = ended.cancelled() => return,
            }
        }
    }

    fn latest_end(&self) -> Option<Instant> {
        self.lock().by_number.values().max().copied()
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.0.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        self.protection.lock().by_number.remove(&self.number);
        self.protection.0.changed.notify_one();
    }
}

/// Whole minutes, with one to publish in.
fn minutes_until(end: Instant) -> u64 {
    let left = end.saturating_duration_since(Instant::now());
    (left.as_secs().div_ceil(MINUTE.as_secs()) + 1).min(MOST_MINUTES)
}

async fn tell(client: &reqwest::Client, url: &str, minutes: Option<u64>) -> anyhow::Result<()> {
    let body = match minutes {
        Some(minutes) => json!({ "ProtectionEnabled": true, "ExpiresInMinutes": minutes }),
        None => json!({ "ProtectionEnabled": false }),
    };
    let answer = client.put(url).json(&body).send().await?;
    let status = answer.status();
    let told: serde_json::Value = answer.json().await.unwrap_or_default();
    // A failure of ECS's own comes with status 200.
    anyhow::ensure!(status.is_success() && told.get("protection").is_some(), "{status}: {told}");
    tracing::info!(minutes, "told ECS whether this task is to be protected from scale-in");
    Ok(())
}
