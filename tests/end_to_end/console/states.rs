//! What stands there when there is nothing to show, when something is wrong, and when the API is gone.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::page::Page;
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn what_is_empty_says_what_belongs_there_and_what_to_do() {
    let fleet = Fleet::start().await;
    let page = Page::open(&fleet, "/functions").await;
    for (path, sentence, to_do) in [
        ("/functions", "A function is Ruby code that runs when somebody calls it.", "Script"),
        (
            "/executions",
            "Executions stand here once they have ended, or run for over 5 s.",
            "Choose a function",
        ),
        ("/executions?q=status%3Afailed", "No execution that is listed passes this filter.", "Show all"),
        ("/maps", "No maps. A map runs a function over many inputs", "badlambda map NAME inputs.ndjson"),
        ("/dead-letters", "No dead letters.", "comes here with the reason"),
        ("/fleet", "Nothing waits.", "Nothing failed."),
    ] {
        page.go(path).await;
        page.see(sentence).await;
        page.shows("main", to_do).await;
    }
    page.close().await;
}

#[tokio::test]
async fn an_error_says_what_happened_and_can_be_tried_again() {
    let fleet = Fleet::start().await;
    let page = Page::open(&fleet, "/functions/late").await;
    page.shows(".problem", "late").await;
    let id = "return /^Request [\\w-]{8,} /.test(document.querySelector('.problem .id').innerText)";
    page.until("there is no request id", id, vec![]).await;
    fleet.create("late", "\"there\"", json!({})).await;
    page.press("Try again").await;
    page.shows(".crumbs", "late · v1").await;
    let none = "return document.querySelector('.problem') === null";
    page.until("the error stays", none, vec![]).await;
    page.go("/no/such/place").await;
    page.stands_at("/functions").await;
    page.close_after(&[("404", "/v1/functions/late")]).await;
}

#[tokio::test]
async fn the_data_stays_while_the_api_is_gone() {
    const AWAY: &str = "The API can't be reached. What you see is the last that it told.";
    let fleet = Fleet::start().await;
    fleet.create("hello", "1", json!({})).await;
    fleet.execute("hello", &json!(null)).await;
    let page = Page::open(&fleet, "/executions").await;
    page.shows(".executions", "succeeded").await;
    page.browser.go_offline(true).await;
    page.see(AWAY).await;
    page.shows(".executions", "succeeded").await;
    page.browser.go_offline(false).await;
    page.miss(AWAY).await;
    page.press_in("Maps", Some(".places")).await;
    page.see("No maps.").await;
    page.press_in("Functions", Some(".places")).await;
    page.shows("main th", "hello").await;
    fleet.process.signal(Signal::SIGTERM);
    page.see(AWAY).await;
    page.shows("main", "hello").await;
    page.press_in("Maps", Some(".places")).await;
    page.shows(".problem", "The API can't be reached.").await;
    page.close_after(&[("ERR_INTERNET_DISCONNECTED", "/v1/"), ("ERR_CONNECTION_REFUSED", "/v1/")]).await;
}

#[tokio::test]
async fn nothing_moves_for_who_wants_no_motion_and_a_theme_is_kept() {
    const MOVES: &str = r#"
        const moving = (style) => [style.transitionDuration, style.animationDuration].join().split(",").some((time) => parseFloat(time) > 0);
        const all = [...document.querySelectorAll("*")].flatMap((element) => ["", "::before", "::after"].map((part) => getComputedStyle(element, part || null)));
        return { moving: all.filter(moving).length, dark: getComputedStyle(document.body).colorScheme };
    "#;
    let fleet = Fleet::start().await;
    fleet.create("hello", "1", json!({})).await;
    let page = Page::open(&fleet, "/functions/hello").await;
    page.press("Run").await;
    page.shows(".outcome .pill", "succeeded").await;
    page.press("Copy").await;
    let moves = page.browser.run(MOVES, vec![]).await;
    assert_ne!(moves["moving"], 0, "nothing moves anyway: {moves}");
    page.browser.prefer("reduced-motion", "reduce").await;
    let calm = page.browser.run(MOVES, vec![]).await;
    assert_eq!(calm["moving"], 0, "{calm}");
    let ground = "return getComputedStyle(document.body).backgroundColor";
    page.browser.use_theme("light").await;
    let light = page.browser.run(ground, vec![]).await;
    page.press("Dark").await;
    let dark = page.browser.run(ground, vec![]).await;
    assert!(dark != light && dark != Value::Null, "{dark}");
    page.browser.driver.refresh().await.unwrap();
    page.see("v1").await;
    assert_eq!(page.browser.run(ground, vec![]).await, dark);
    page.press("System").await;
    assert_eq!(page.browser.run(ground, vec![]).await, light);
    page.close().await;
}
