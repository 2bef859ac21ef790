//! The console in a real Chromium, used as a person would: by what is written on it, by the mouse, and by keys alone.
//!
//! `browser` is Chromium with its driver, `page` what a person does with it, `visit` what must not happen meanwhile, and
//! `seeded` a fleet with something of everything; `pictures` takes the README's. The rest are stories. What they do is looked up through the API, too.

mod browser;
mod dead_letters;
mod executions;
mod fleet;
mod functions;
mod hostile;
mod keyboard;
mod looks;
mod maps;
mod page;
mod pictures;
mod running;
mod scale;
mod seeded;
mod states;
mod tokens;
mod visit;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixtures::fleet::{Fleet, PATIENCE};

/// What the API tells at a path.
async fn told(fleet: &Fleet, path: &str) -> Value {
    fleet.get(path).await.json().await.unwrap()
}

/// Waits until something holds that is looked up beside the page.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
