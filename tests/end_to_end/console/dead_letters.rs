//! Dead letters: why they are there, and what becomes of them.

use serde_json::json;

use super::page::Page;
use super::{told, until};
use crate::fixtures::fleet::Fleet;

/// Waits until there are so many dead letters, and the queue hands them all out.
async fn letters(fleet: &Fleet, number: usize) {
    until(&format!("there are not {number} dead letters"), async || {
        let listed = told(fleet, "/v1/dead-letters?limit=200").await;
        listed["dead_letters"].as_array().unwrap().len() == number && listed["complete"] == true
    })
    .await;
}

#[tokio::test]
async fn they_are_grouped_mended_redriven_and_purged() {
    let fleet = Fleet::start().await;
    fleet.create("hello", "{ greeting: \"Hello, #{event.fetch(\"name\")}\" }", json!({})).await;
    for n in 0..4 {
        fleet.send(&json!({"name": format!("Ada {n}")}).to_string(), Some("later")).await;
    }
    fleet.send("{not json", None).await;
    letters(&fleet, 5).await;
    let page = Page::open(&fleet, "/dead-letters").await;
    page.shows(".card header", "not_found 4 letters").await;
    page.shows(".card header", "bad_message 1 letter").await;
    page.shows(".places .count.bad", "5").await;
    edit_and_run_one(&page, &fleet).await;
    redrive_one_and_a_group(&page, &fleet).await;
    purge_the_rest(&page, &fleet).await;
    page.close().await;
}

/// A hundred and one: the number is typed, and what is begun is stopped.
#[tokio::test]
async fn many_are_redriven_once_that_is_confirmed_and_can_be_stopped() {
    let fleet = Fleet::start().await;
    for n in 0..101 {
        fleet.send(&n.to_string(), Some("later")).await;
    }
    letters(&fleet, 101).await;
    fleet.create("later", "event", json!({})).await;
    let page = Page::open(&fleet, "/dead-letters").await;
    page.press("Redrive 101").await;
    page.see("101 dead letters. They go back to the queue and run again.").await;
    page.see("and 96 more").await;
    let is_off = "return document.querySelector('dialog .button.main').disabled";
    page.until("it begins without the number", is_off, vec![]).await;
    page.fill("Type 101 to go on", "101").await;
    page.press("Redrive 101").await;
    page.until("none is done", "return document.querySelector('progress')?.value > 0", vec![]).await;
    page.press("Stop").await;
    page.see("not begun").await;
    let script = "return document.querySelector('dialog h2').innerText.match(/\\d+/g).map(Number)";
    let counted = page.browser.run(script, vec![]).await;
    assert!(counted[0].as_u64() > Some(0) && counted[1].as_u64() > Some(0), "{counted}");
    page.press("Close").await;
    let run = async || {
        let run = told(&fleet, "/v1/functions/later/executions?status=succeeded&limit=1000").await;
        run["executions"].as_array().unwrap().len()
    };
    let left = async || {
        let left = told(&fleet, "/v1/dead-letters?limit=200").await;
        left["dead_letters"].as_array().unwrap().len()
    };
    // The API may have sent one more before it knew.
    let redriven = counted[0].as_u64().unwrap() as usize;
    until("what was redriven has not run", async || {
        let run = run().await;
        run >= redriven && run + left().await == 101
    })
    .await;
    let run = run().await;
    page.press("Look again").await;
    page.shows(".card header", &format!("not_found {} letters", 101 - run)).await;
    page.close().await;
}

async fn edit_and_run_one(page: &Page, fleet: &Fleet) {
    page.press("The letter").await;
    page.press_in("", Some("details[open] td:first-child")).await;
    page.see("Why it is here").await;
    page.shows(".value", "{not json").await;
    let id = page.browser.run("return location.hash.split('/').at(-1)", vec![]).await;
    page.fill("Function", "hello").await;
    page.paste("Input", "{\"name\": ").await;
    page.press("Run, and delete the letter").await;
    page.shows(".wrong", "Line 1, column 10").await;
    page.paste("Input", "{\"name\": \"Grace\"}").await;
    page.press("Run, and delete the letter").await;
    page.shows(".outcome .pill", "succeeded").await;
    page.shows(".outcome .tree", "Hello, Grace").await;
    letters(fleet, 4).await;
    assert_eq!(fleet.get(&format!("/v1/dead-letters/{}", id.as_str().unwrap())).await.status(), 404);
}

async fn redrive_one_and_a_group(page: &Page, fleet: &Fleet) {
    fleet.create("later", "event[\"name\"]", json!({})).await;
    page.press_in("Dead letters", Some(".places")).await;
    page.press("The 4 letters").await;
    page.press_in("", Some("details[open] tr:first-child td:first-child")).await;
    page.press("Redrive").await;
    page.see("It is in the queue again.").await;
    page.shows(".outcome .pill", "succeeded").await;
    page.press_in("Dead letters", Some(".places")).await;
    page.shows(".card header", "not_found 3 letters").await;
    page.press("Redrive 3").await;
    page.see("3 dead letters. They go back to the queue and run again.").await;
    page.shows("dialog .samples li:nth-child(3)", "later").await;
    page.fill("How many in a second", "100").await;
    page.press("Redrive 3").await;
    page.see("3 sent back.").await;
    page.press("Close").await;
    until("not all have run", async || {
        let listed = told(fleet, "/v1/functions/later/executions?status=succeeded").await;
        let mut results: Vec<String> =
            listed["executions"].as_array().unwrap().iter().map(|one| one["result"].to_string()).collect();
        results.sort();
        results == ["\"Ada 0\"", "\"Ada 1\"", "\"Ada 2\"", "\"Ada 3\""]
    })
    .await;
    letters(fleet, 0).await;
    page.see("No dead letters.").await;
}

async fn purge_the_rest(page: &Page, fleet: &Fleet) {
    for n in 0..3 {
        fleet.send(&format!("{{not json {n}"), None).await;
    }
    letters(fleet, 3).await;
    page.press("Look again").await;
    page.shows(".card header", "bad_message 3 letters").await;
    page.press("Purge all").await;
    page.see("3 dead letters. They are gone for good, with their inputs.").await;
    page.press("Purge 3").await;
    page.see("3 deleted.").await;
    page.press("Close").await;
    page.see("No dead letters.").await;
    letters(fleet, 0).await;
}
