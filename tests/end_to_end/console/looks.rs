//! How each view looks: at each width, in both themes, and zoomed in. Pictures land in `target/console`, for people.

use std::path::PathBuf;

use fantoccini::key::Key;
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

/// As wide as a window gets; a picture of it takes seconds, and shows no more.
const WIDEST: u32 = 3840;

/// Takes a picture of what is shown at a width and a zoom, and notes whether it sticks out.
async fn look(page: &Page, name: &str, (width, zoom): (u32, u32), theme: &str, faults: &mut Vec<String>) {
    let folder: PathBuf = repository().join("target/console");
    let picture = format!("{name}-{width}{}-{theme}", if zoom == 2 { "-zoomed" } else { "" });
    if width != WIDEST {
        page.picture(&folder, &picture).await;
    }
    if page.browser.run(STICKS_OUT, vec![]).await == json!(true) {
        faults.push(format!("{picture}: the page scrolls sideways"));
    }
}

/// What axe finds in what is shown.
pub async fn accessibility_faults(page: &Page, name: &str) -> Vec<String> {
    let axe = std::fs::read_to_string(repository().join("target/node/node_modules/axe-core/axe.min.js"));
    let axe = axe.expect("axe-core is missing: `tests/run tools` installs it");
    if page.browser.run("return globalThis.axe === undefined", vec![]).await == json!(true) {
        page.browser.run(&axe, vec![]).await;
    }
    let found = page.browser.run(AXE, vec![]).await;
    found.as_array().unwrap().iter().map(|fault: &Value| format!("{name}: {fault}")).collect()
}

async fn look_at_all(theme: &str) {
    let seeded = Seeded::start().await;
    let page = Page::open(&seeded.fleet, "/functions").await;
    page.browser.use_theme(theme).await;
    let mut faults = vec![];
    for (name, path) in views(&seeded) {
        page.go(&path).await;
        for (width, zoom) in [(768, 1), (360, 1), (WIDEST, 1), (1440, 2), (1440, 1)] {
            page.browser.resize(width, 900, zoom).await;
            page.loaded().await;
            look(&page, name, (width, zoom), theme, &mut faults).await;
        }
        faults.extend(accessibility_faults(&page, &format!("{name}, {theme}")).await);
        if let Value::String(problem) = page.browser.run(PROBLEM, vec![]).await {
            faults.push(format!("{name}, {theme}: it has failed: {problem}"));
        }
    }
    look_over(&page, theme, &mut faults).await;
    assert!(faults.is_empty(), "{faults:#?}");
    page.close_after(&[("404", "/v1/functions/nothing")]).await;
}

/// What opens over a view, and a view that has failed.
async fn look_over(page: &Page, theme: &str, faults: &mut Vec<String>) {
    for (name, path, press, sees) in [
        ("over-dialog", "/functions/resize/versions", "New alias", "dialog h2"),
        ("over-bulk", "/dead-letters", "Purge all", "dialog .samples li"),
        ("over-keys", "/fleet", "?", "dialog .keys"),
        ("over-finder", "/maps", "Find anything", ".finder .option"),
        ("over-menu", "/functions/resize", "More", "[role=menu]"),
        ("over-problem", "/functions/nothing", "", ".problem"),
    ] {
        for width in [360, 1440] {
            page.browser.resize(width, 900, 1).await;
            page.go(path).await;
            page.loaded().await;
            match press {
                "" => {}
                "?" => page.keys("?").await,
                name => page.press(name).await,
            }
            page.element(sees).await;
            look(page, name, (width, 1), theme, faults).await;
            if width == 1440 {
                faults.extend(accessibility_faults(page, &format!("{name}, {theme}")).await);
            }
            page.keys(Key::Escape).await;
        }
    }
}

#[tokio::test]
async fn every_view_is_whole_and_accessible_at_each_width_in_light() {
    look_at_all("light").await;
}

#[tokio::test]
async fn every_view_is_whole_and_accessible_at_each_width_in_dark() {
    look_at_all("dark").await;
}
