//! Finding executions, reading them, and running them again.

use fantoccini::key::Key;
use reqwest::Method;
use serde_json::{Value, json};

use super::page::Page;
use super::{told, until};
use crate::fixtures::fleet::Fleet;

const PICKY: &str = "puts event[\"n\"]\nraise ArgumentError, \"#{event[\"n\"]} is odd\" if event[\"n\"].odd?\n{ half: event[\"n\"] / 2 }\n";

/// All executions of a function, however many.
async fn all(fleet: &Fleet, name: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let page = told(fleet, &format!("/v1/functions/{name}/executions?limit=1000{cursor}")).await;
        found.extend(page["executions"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

/// Waits until so many executions of a function are listed.
async fn listed(fleet: &Fleet, name: &str, number: usize) {
    until(&format!("not {number} executions are listed"), async || all(fleet, name).await.len() >= number)
        .await;
}

/// Waits until the list has so many rows.
async fn rows(page: &Page, number: usize) {
    let script =
        "return document.querySelectorAll('.executions tbody:not(.space) tr').length === arguments[0]";
    page.until(&format!("there are not {number} rows"), script, vec![json!(number)]).await;
}

#[tokio::test]
async fn they_are_filtered_opened_beside_the_list_and_replayed_with_another_input() {
    let fleet = Fleet::start().await;
    fleet.create("picky", PICKY, json!({})).await;
    for n in 0..6 {
        fleet.execute("picky", &json!({"n": n})).await;
    }
    let page = Page::open(&fleet, "/executions").await;
    rows(&page, 6).await;
    page.keys("/").await;
    page.keys("sta").await;
    page.shows("[role=option][aria-selected=true]", "status:").await;
    page.keys(Key::Enter + "f").await;
    page.shows("[role=option][aria-selected=true]", "status:failed").await;
    page.keys(Key::Enter + "kind:exception" + &Key::Enter).await;
    rows(&page, 3).await;
    page.stands_at("/executions?q=status%3Afailed+kind%3Aexception").await;
    page.browser.driver.refresh().await.unwrap();
    rows(&page, 3).await;
    page.fill("Filter executions", "status:wrong").await;
    page.keys(Key::Enter).await;
    page.shows(".filter .wrong", "status is one of running, succeeded, failed, cancelled.").await;
    page.fill("Filter executions", "status:failed").await;
    page.keys(Key::Enter + &Key::Escape).await;
    rows(&page, 3).await;
    let publish = json!({"code": "{ quarter: event[\"n\"] / 4 }"});
    let published = fleet.request(Method::PUT, "/v1/functions/picky").json(&publish).send().await.unwrap();
    assert!(published.status().is_success());
    open_and_replay(&page, &fleet).await;
    page.close().await;
}

/// By `j`, `k`, Enter and `r`: the second of three that failed, newest first.
async fn open_and_replay(page: &Page, fleet: &Fleet) {
    page.keys("j").await;
    page.keys("j").await;
    page.keys("j").await;
    page.keys("k").await;
    page.keys(Key::Enter).await;
    page.shows("aside.beside", "3 is odd").await;
    rows(page, 3).await;
    page.keys("k").await;
    page.shows("aside.beside", "5 is odd").await;
    page.keys(Key::Enter).await;
    let newest = all(fleet, "picky").await.into_iter().find(|one| one["status"] == "failed").unwrap();
    let id = newest["id"].as_str().unwrap();
    page.stands_at(&format!("/functions/picky/executions/{id}")).await;
    page.shows(".failure", "5 is odd").await;
    page.keys("r").await;
    page.paste("Input of the replay", "{\"n\": 8}").await;
    page.press("Run again").await;
    page.see("Old and new result").await;
    page.shows(".diff del", "ArgumentError: 5 is odd").await;
    page.shows(".diff ins", "\"half\": 4").await;
    page.shows(".diff:has(del) ins", "8").await;
    listed(fleet, "picky", 7).await;
    let replay = told(fleet, all(fleet, "picky").await[0]["url"].as_str().unwrap()).await;
    assert_eq!((&replay["replay_of"], &replay["input"]), (&newest["id"], &json!({"n": 8})));
    assert_eq!((&replay["result"], &replay["version"]), (&json!({"half": 4}), &json!(1)));
    page.focus("Version").await;
    page.keys("v2").await;
    page.press("Run again").await;
    page.shows(".diff ins", "\"quarter\": 2").await;
    listed(fleet, "picky", 8).await;
    let replay = told(fleet, all(fleet, "picky").await[0]["url"].as_str().unwrap()).await;
    assert_eq!((&replay["version"], &replay["result"]), (&json!(2), &json!({"quarter": 2})));
}

#[tokio::test]
async fn many_are_replayed_once_that_is_confirmed_and_can_be_stopped() {
    let fleet = Fleet::start().await;
    fleet.create("double", "event * 2", json!({})).await;
    let inputs: Vec<u64> = (0..130).collect();
    let batch = fleet.request(Method::POST, "/v1/functions/double/executions/batch").json(&inputs);
    assert_eq!(batch.send().await.unwrap().status(), 200);
    listed(&fleet, "double", 130).await;
    let page = Page::open(&fleet, "/executions?q=function%3Adouble").await;
    page.see("100+ listed").await;
    replay_a_few(&page, &fleet).await;
    page.press("All that match").await;
    page.press("Replay all").await;
    let number = all(&fleet, "double").await.len();
    page.see(&format!("Replay {number} executions")).await;
    page.see(&format!("and {} more", number - 5)).await;
    let is_off = "return document.querySelector('dialog .button.main').disabled";
    page.until("it begins without the number", is_off, vec![]).await;
    // Each request takes so long that there is time to stop.
    page.browser.slow_down(300).await;
    page.fill(&format!("Type {number} to go on"), &number.to_string()).await;
    page.press(&format!("Replay {number}")).await;
    page.until("none is done", "return document.querySelector('progress')?.value > 0", vec![]).await;
    page.press("Stop").await;
    page.see("not begun").await;
    let script = "return document.querySelector('dialog h2').innerText.match(/\\d+/g).map(Number)";
    let counted = page.browser.run(script, vec![]).await;
    let (done, left) = (counted[0].as_u64().unwrap() as usize, counted[1].as_u64().unwrap() as usize);
    assert!(done > 0 && left > 0 && done + left == number, "{counted} of {number}");
    page.press("Close").await;
    page.browser.slow_down(0).await;
    listed(&fleet, "double", number + done).await;
    fleet.queue_is_empty().await;
    assert_eq!(all(&fleet, "double").await.len(), number + done);
    page.close().await;
}

/// Three that are chosen by keys, seven by a range of the mouse.
async fn replay_a_few(page: &Page, fleet: &Fleet) {
    page.keys(Key::Escape).await;
    for keys in ["j", "x", "j", "x", "j", "x"] {
        page.keys(keys).await;
    }
    page.see("3 chosen").await;
    page.keys("r").await;
    page.shows("dialog .samples li:nth-child(3)", "double succeeded").await;
    page.press("Replay 3").await;
    page.see("3 replayed").await;
    page.press("Close").await;
    listed(fleet, "double", 133).await;
    for replay in &all(fleet, "double").await[..3] {
        assert!(told(fleet, replay["url"].as_str().unwrap()).await["replay_of"].is_string(), "{replay}");
    }
}

#[tokio::test]
async fn what_runs_is_cancelled_and_new_ones_wait_while_somebody_reads() {
    let fleet = Fleet::start().await;
    fleet.create("slow", "event == 0 ? 0 : sleep(600)", json!({"timeout_ms": 600_000})).await;
    for n in 1..4 {
        fleet.submit("slow", &json!(n)).await;
    }
    let page = Page::open(&fleet, "/functions/slow/executions").await;
    rows(&page, 3).await;
    page.press("Choose all that are listed").await;
    page.see("3 chosen").await;
    fleet.execute("slow", &json!(0)).await;
    page.see("1 new").await;
    rows(&page, 3).await;
    // Of all that match, what has ended is left alone.
    page.press("All that match").await;
    page.press("Cancel all").await;
    page.see("Cancel 3 executions").await;
    page.shows("dialog .samples", "slow running").await;
    page.press("Cancel 3").await;
    page.see("3 cancelled").await;
    page.press("Close").await;
    page.shows(".pill.cancelled", "cancelled").await;
    until("not all three are cancelled", async || {
        all(&fleet, "slow").await.iter().filter(|one| one["status"] == "cancelled").count() == 3
    })
    .await;
    rows(&page, 4).await;
    page.close().await;
}
