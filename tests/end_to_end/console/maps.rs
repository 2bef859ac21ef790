//! One function over many inputs.

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::page::Page;
use super::told;
use crate::fixtures::fleet::Fleet;

/// The map that is shown, as the API tells of it.
async fn shown(page: &Page, fleet: &Fleet) -> Value {
    let path = page.browser.run("return location.hash.slice(1).split('?')[0]", vec![]).await;
    told(fleet, &format!("/v1{}", path.as_str().unwrap())).await
}

#[tokio::test]
async fn a_map_is_started_followed_and_read() {
    let fleet = Fleet::start().await;
    let code = "raise ArgumentError, \"#{event} is odd\" if event.odd?\n{ half: event / 2 }";
    fleet.create("halves", code, json!({})).await;
    let page = Page::open(&fleet, "/maps").await;
    page.see("No maps. A map runs a function over many inputs, a line of JSON each.").await;
    page.press("New map").await;
    page.fill("Function", "halves").await;
    page.paste("or the inputs, a line each", "1\n2\n{broken\n").await;
    page.press("Start").await;
    page.shows("dialog .problem", "JSON").await;
    let mut file = NamedTempFile::new().unwrap();
    (0..250).for_each(|n| writeln!(file, "{n}").unwrap());
    page.element("[type=file]").await.send_keys(file.path().to_str().unwrap()).await.unwrap();
    page.press("Start").await;
    page.shows(".pill", "finished").await;
    page.see("125 succeeded · 125 failed").await;
    page.shows(".facts", "exception 125").await;
    let map = shown(&page, &fleet).await;
    assert_eq!((&map["succeeded"], &map["failed"], &map["total"]), (&json!(125), &json!(125), &json!(250)));
    read_results(&page).await;
    page.press_in("Maps", Some(".places")).await;
    page.shows("tr", "halves").await;
    page.shows("tr", "125 succeeded · 125 failed").await;
    page.close_after(&[("400", "/maps")]).await;
}

async fn read_results(page: &Page) {
    let listed = "return document.querySelectorAll('.results > *').length === arguments[0] \
        && [...document.querySelectorAll('.results .pill')].every(({ innerText }) => arguments[1].includes(innerText))";
    page.until("the first are not listed", listed, vec![json!(100), json!(["succeeded", "failed"])]).await;
    page.press("Next 100").await;
    page.until("the next are not listed", listed, vec![json!(200), json!(["succeeded", "failed"])]).await;
    page.press("only failures").await;
    page.until("others are listed", listed, vec![json!(50), json!(["failed"])]).await;
    page.shows(".results", "ArgumentError: 99 is odd").await;
    page.press("only failures").await;
    page.until("not all are listed", listed, vec![json!(100), json!(["succeeded", "failed"])]).await;
    page.fill("Index", "248").await;
    page.press("Go to index").await;
    page.until("others are listed", listed, vec![json!(2), json!(["succeeded", "failed"])]).await;
    page.press("248").await;
    page.shows(".results .tree", "\"half\": 124").await;
}

#[tokio::test]
async fn a_map_that_takes_too_long_is_cancelled() {
    let fleet = Fleet::start().await;
    fleet.create("slow", "sleep(event)", json!({"timeout_ms": 600_000})).await;
    let page = Page::open(&fleet, "/maps").await;
    page.press("New map").await;
    page.fill("Function", "slow").await;
    page.fill("Inputs that a worker takes at once", "1").await;
    // Each has a slot, whichever the queue hands out first.
    page.paste("or the inputs, a line each", "0\n600\n600\n600\n").await;
    page.press("Start").await;
    page.shows(".pill", "running").await;
    page.see("1 succeeded · 3 left").await;
    page.press("Cancel").await;
    page.see("3 of 4 inputs have not ended.").await;
    page.press("Cancel 3").await;
    page.shows(".pill", "cancelled").await;
    page.see("1 succeeded · 3 not run").await;
    let gone = "return [...document.querySelectorAll('.actions button')].every(({ hidden }) => hidden)";
    page.until("it can be cancelled again", gone, vec![]).await;
    assert_eq!(shown(&page, &fleet).await["status"], "cancelled");
    page.close().await;
}
