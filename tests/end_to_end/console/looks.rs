//! How each view looks: at each width, in both themes, and zoomed in. Pictures land in `target/console`, for people.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::page::Page;
use super::seeded::Seeded;
use crate::fixtures::fleet::repository;

/// What axe holds each view against: WCAG 2.2 AA, and what else its authors think good.
const AXE: &str = r#"
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
"#;

/// What sticks out of the window at the right, but for what scrolls in a box of its own.
const STICKS_OUT: &str = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";

/// Each view by name and path, with something in it.
fn views(seeded: &Seeded) -> Vec<(&'static str, String)> {
    let Seeded { failed, succeeded, map, dead_letter, .. } = seeded;
    vec![
        ("functions", "/functions".to_owned()),
        ("new", "/new".to_owned()),
        ("function", "/functions/resize".to_owned()),
        ("config", "/functions/resize/config".to_owned()),
        ("versions", "/functions/resize/versions".to_owned()),
        ("function-executions", "/functions/resize/executions".to_owned()),
        ("executions", "/executions".to_owned()),
        ("executions-filtered", "/executions?q=status%3Afailed".to_owned()),
        ("execution-failed", format!("/functions/resize/executions/{failed}")),
        ("execution-succeeded", format!("/functions/hello/executions/{succeeded}")),
        ("maps", "/maps".to_owned()),
        ("map", format!("/functions/flaky/maps/{map}")),
        ("dead-letters", "/dead-letters".to_owned()),
        ("dead-letter", format!("/dead-letters/{dead_letter}")),
        ("fleet", "/fleet".to_owned()),
    ]
}

/// Whether it is a view that has failed.
const PROBLEM: &str = "return document.querySelector('.problem')?.innerText ?? null";

async fn look_at(page: &Page, name: &str, path: &str, theme: &str, faults: &mut Vec<String>) {
    let folder: PathBuf = repository().join("target/console");
    page.go(path).await;
    for (width, zoom) in [(768, 1), (360, 1), (1440, 2), (1440, 1)] {
        page.browser.resize(width, 900, zoom).await;
        page.loaded().await;
        let picture = format!("{name}-{width}{}-{theme}", if zoom == 2 { "-zoomed" } else { "" });
        page.picture(&folder, &picture).await;
        if page.browser.run(STICKS_OUT, vec![]).await == json!(true) {
            faults.push(format!("{picture}: the page scrolls sideways"));
        }
    }
    let found = page.browser.run(AXE, vec![]).await;
    faults.extend(found.as_array().unwrap().iter().map(|fault: &Value| format!("{name}, {theme}: {fault}")));
    if let Value::String(problem) = page.browser.run(PROBLEM, vec![]).await {
        faults.push(format!("{name}, {theme}: it has failed: {problem}"));
    }
}

async fn look_at_all(theme: &str) {
    let axe = std::fs::read_to_string(repository().join("target/node/node_modules/axe-core/axe.min.js"));
    let axe = axe.expect("axe-core is missing: `tests/run tools` installs it");
    let seeded = Seeded::start().await;
    let page = Page::open(&seeded.fleet, "/functions").await;
    page.browser.use_theme(theme).await;
    page.browser.run(&axe, vec![]).await;
    let mut faults = vec![];
    for (name, path) in views(&seeded) {
        look_at(&page, name, &path, theme, &mut faults).await;
    }
    assert!(faults.is_empty(), "{faults:#?}");
    page.close().await;
}

#[tokio::test]
async fn every_view_is_whole_and_accessible_at_each_width_in_light() {
    look_at_all("light").await;
}

#[tokio::test]
async fn every_view_is_whole_and_accessible_at_each_width_in_dark() {
    look_at_all("dark").await;
}
