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

use serde_json::Value;

use crate::fixtures::fleet::Fleet;

/// What the API tells at a path.
async fn told(fleet: &Fleet, path: &str) -> Value {
    fleet.get(path).await.json().await.unwrap()
}
