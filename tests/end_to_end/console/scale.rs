//! Ten thousand executions, and an hour of live updates.

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::{Status, Usage};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::index::{Line, store_lines};
use badlambda_shared::timestamp::Timestamp;
use badlambda_tests::addresses::store;
use reqwest::Method;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::page::Page;
use super::until;
use crate::fixtures::fleet::Fleet;

const MANY: u64 = 10_000;
/// How often each view is refreshed: an hour's worth of executions, at one each five seconds, and ten minutes' of the fleet.
const REFRESHES: [(&str, u64); 2] = [("/executions", 700), ("/fleet", 300)];

/// Scrolls to the end of the list, a little with each frame; notes the longest frame, and the most rows that were there.
const SCROLL: &str = r#"
    const box = document.querySelector(".rows");
    const seen = (globalThis.scrolled = { frames: 0, longest: 0, over: 0, rows: 0, isAtEnd: false });
    let before = performance.now();
    const step = (now) => {
        seen.frames++;
        seen.longest = Math.max(seen.longest, now - before);
        seen.over += now - before > 50;
        seen.rows = Math.max(seen.rows, document.querySelectorAll(".executions tr").length);
        before = now;
        box.scrollTop += 700;
        seen.isAtEnd = document.querySelector(".after").innerText.includes("These are all.") && box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
        if (!seen.isAtEnd) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
"#;

/// A clock that runs a thousand times as fast, and a count of what was asked for.
const HURRY: &str = r#"
    const [wait, ask] = [setTimeout, fetch];
    globalThis.asked = 0;
    globalThis.setTimeout = (act, ms, ...more) => wait(act, ms / 1000, ...more);
    globalThis.fetch = (url, ...more) => {
        asked += url.startsWith(location.hash === '#/fleet' ? '/v1/stats' : '/v1/executions');
        return ask(url, ...more);
    };
"#;

/// Lists so many executions as workers do, which have not run them: programs that are not optimised take a while for that.
async fn list_many(fleet: &Fleet) {
    let store = store(&fleet.addresses);
    let function: FunctionName = "tiny".parse().unwrap();
    let now = Timestamp::now().unix_ms();
    let line = |n: u64| {
        let at_ms = now - n as i64;
        Line {
            id: ExecutionId::issue(&function),
            function: function.clone(),
            version: Some(1),
            status: Status::Succeeded,
            kind: None,
            submitted_ms: at_ms - 20,
            started_ms: Some(at_ms - 3),
            at_ms,
            attempts: 1,
            usage: Some(Usage { wall_ms: 1.893, cpu_ms: 1.105, max_rss_bytes: 23_068_672 }),
            message: None,
            result: Some(to_raw_value(&n).unwrap()),
        }
    };
    for first in (0..MANY).step_by(1000) {
        store_lines(&store, (first..first + 1000).map(line).collect()).await.unwrap();
    }
}

#[tokio::test]
async fn ten_thousand_are_scrolled_through_with_few_rows_in_the_page() {
    let fleet = Fleet::start().await;
    fleet.create("tiny", "event", json!({})).await;
    list_many(&fleet).await;
    let page = Page::open(&fleet, "/executions").await;
    page.see("listed").await;
    page.browser.run(SCROLL, vec![]).await;
    page.until("the end is not reached", "return scrolled.isAtEnd", vec![]).await;
    let seen = page.browser.run("return scrolled", vec![]).await;
    eprintln!("scrolled through {MANY} executions: {seen}");
    page.see(&format!("{} {:03} listed", MANY / 1000, MANY % 1000)).await;
    assert!(seen["rows"].as_u64().unwrap() < 150, "{seen}");
    assert!(seen["longest"].as_f64().unwrap() < 500.0, "{seen}");
    page.close().await;
}

/// Nodes and bytes of JavaScript, once all is gone that nobody holds.
async fn held(page: &Page) -> (i64, i64) {
    for _ in 0..2 {
        page.browser.devtools("HeapProfiler.collectGarbage", json!({})).await;
    }
    let counters = page.browser.devtools("Memory.getDOMCounters", json!({})).await;
    let heap = page.browser.devtools("Runtime.getHeapUsage", json!({})).await;
    (counters["nodes"].as_i64().unwrap(), heap["usedSize"].as_f64().unwrap() as i64)
}

/// Waits for so many more refreshes, while things go on.
async fn refreshed(page: &Page, fleet: &Fleet, number: u64) {
    let asked = page.browser.run("return asked", vec![]).await.as_u64().unwrap();
    for more in (0..=number).step_by(50) {
        until(&format!("there are not {more} more refreshes"), async || {
            fleet.execute("tiny", &json!(1)).await;
            page.browser.run("return asked", vec![]).await.as_u64().unwrap() > asked + more
        })
        .await;
    }
}

#[tokio::test]
async fn memory_stays_the_same_over_an_hour_of_live_updates() {
    let fleet = Fleet::start().await;
    fleet.create("tiny", "event", json!({})).await;
    let batch = fleet.request(Method::POST, "/v1/functions/tiny/executions/batch").json(&vec![1; 150]);
    assert_eq!(batch.send().await.unwrap().status(), 200);
    fleet.queue_is_empty().await;
    let page = Page::open(&fleet, "/fleet").await;
    page.browser.before_each_page(HURRY).await;
    for (path, number) in REFRESHES {
        page.go(path).await;
        page.browser.driver.refresh().await.unwrap();
        page.until("it does not ask", "return asked > 3", vec![]).await;
        refreshed(&page, &fleet, 50).await;
        let before = held(&page).await;
        refreshed(&page, &fleet, number).await;
        let after = held(&page).await;
        eprintln!("{path}: nodes and bytes {before:?}, after {number} refreshes {after:?}");
        assert!(after.0 - before.0 < 1000, "{path}: nodes {before:?}, {after:?}");
        assert!(after.1 - before.1 < 2 << 20, "{path}: bytes {before:?}, {after:?}");
    }
    page.close().await;
}
