//! The pictures of the README, taken of a real fleet: `deploy/pictures/take`.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::page::Page;
use super::seeded::Seeded;
use crate::fixtures::fleet::repository;

/// How often the fleet gets more to do, and what.
const BATCHES: u64 = 12;
const EVERY: Duration = Duration::from_secs(20);
const WORK: &str = "sleep 0.05; raise 'out of luck' if event % 9 == 0; event";

#[tokio::test]
#[ignore = "it writes files of the repository, and takes minutes"]
async fn take() {
    let folder = repository().join("deploy/pictures");
    let seeded = Seeded::start().await;
    let fleet = &seeded.fleet;
    let page = Page::open(fleet, "/functions/resize").await;
    page.browser.use_theme("light").await;
    page.browser.resize(1360, 760, 1).await;
    page.see("LIMITS").await;
    page.fill("Input", r#"{ "width": 4000, "height": 3000, "size": "medium" }"#).await;
    page.press("Run").await;
    page.see("key not found").await;
    page.see("store").await;
    page.picture(&folder, "console-run").await;

    // Some of it fails, and there is more of it than slots.
    fleet.create("work", WORK, json!({})).await;
    page.browser.use_theme("dark").await;
    page.go("/fleet").await;
    for batch in 0..BATCHES {
        let inputs: Vec<u64> = (0..1000 + 100 * (batch % 3)).collect();
        let path = "/v1/functions/work/executions/batch";
        fleet.request(Method::POST, path).json(&inputs).send().await.unwrap();
        tokio::time::sleep(EVERY).await;
    }
    page.picture(&folder, "console-fleet").await;
    page.close().await;
}
