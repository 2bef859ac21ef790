//! The console without a mouse.

use fantoccini::key::Key;
use reqwest::Method;
use serde_json::{Value, json};

use super::page::Page;
use super::told;
use crate::fixtures::fleet::Fleet;

/// What has the focus: its name, and whether somebody sees that it has it.
const FOCUS: &str = r#"
    const focused = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(focused);
    const editor = focused.closest(".editor");
    const ring = editor && getComputedStyle(editor, "::after");
    const isRinged = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || (ring && ring.content !== "none" && parseFloat(ring.borderTopWidth) >= 1);
    const { top, bottom, width, height } = focused.getBoundingClientRect();
    const name = focused.getAttribute("aria-label") ?? focused.labels?.[0]?.innerText ?? focused.innerText ?? "";
    return { name: name.replace(/\s+/g, " ").trim() || focused.outerHTML.slice(0, 80),
        isSeen: focused.id === "main" || (isRinged && bottom > 0 && top < innerHeight && width > 0 && height > 0) };
"#;

/// What Tab should come to.
const WANTED: &str = r#"
    const all = document.querySelectorAll("main :is(a[href], button, input, select, summary)");
    const wanted = [...all].filter((element) => element.checkVisibility({ visibilityProperty: true })
        && !element.disabled && element.tabIndex >= 0 && (element.type !== "radio" || element.checked));
    return wanted.map((element) => element.outerHTML.slice(0, 80));
"#;

/// The name of what has the focus, which must be seen to have it.
async fn focused(page: &Page) -> String {
    let Value::Object(found) = page.browser.run(FOCUS, vec![]).await else { unreachable!() };
    let name = found["name"].as_str().unwrap().to_owned();
    assert_eq!(found["isSeen"], true, "nobody sees that {name:?} has the focus");
    name
}

/// Presses Tab until what has this name has the focus.
async fn tab_to(page: &Page, name: &str) {
    let mut passed = vec![];
    while passed.len() < 60 {
        page.keys(Key::Tab).await;
        passed.push(focused(page).await);
        if passed.last().is_some_and(|last| last.starts_with(name)) {
            return;
        }
    }
    panic!("Tab does not come to {name:?}, but to {passed:#?}");
}

#[tokio::test]
async fn a_function_is_found_changed_run_and_looked_up_by_keys_alone() {
    let fleet = Fleet::start().await;
    fleet.create("greet", "1", json!({})).await;
    fleet.create("other", "2", json!({})).await;
    let page = Page::open(&fleet, "/functions").await;
    page.see("greet").await;
    page.keys("?").await;
    page.shows("dialog", "Go to executions").await;
    focused(&page).await;
    page.keys(Key::Escape).await;
    page.until("the dialog stays", "return document.querySelector('dialog') === null", vec![]).await;
    page.keys(Key::Control + "k").await;
    page.keys("gre").await;
    page.shows("[role=option][aria-selected=true]", "greet").await;
    page.keys(Key::Enter).await;
    page.stands_at("/functions/greet").await;
    page.shows(".crumbs", "v1").await;
    tab_to(&page, "Code of greet").await;
    page.keys(Key::Control + "a").await;
    page.keys("{ hi: event[\"name\"] }").await;
    tab_out(&page).await;
    tab_to(&page, "Input").await;
    page.keys(Key::Control + "a").await;
    page.keys("{\"name\": \"Ada\"}").await;
    page.keys(Key::Control + &Key::Enter).await;
    page.shows(".outcome .pill", "succeeded").await;
    page.shows(".outcome .tree", "\"Ada\"").await;
    page.keys(Key::Control + "s").await;
    page.see("Saved v2.").await;
    page.keys(Key::Control + &Key::Enter).await;
    page.shows(".facts", "version 2").await;
    page.shows(".outcome .pill", "succeeded").await;
    tab_out(&page).await;
    read_executions(&page).await;
    find_executions(&page, &fleet).await;
    assert_eq!(told(&fleet, "/v1/functions/greet").await["version"], 2);
    let newest = &told(&fleet, "/v1/functions/greet/executions").await["executions"][0];
    assert_eq!((&newest["version"], &newest["result"]), (&json!(2), &json!({"hi": "Ada"})));
    page.close().await;
}

/// Leaves an editor, in which Tab indents.
async fn tab_out(page: &Page) {
    let before = focused(page).await;
    page.keys(Key::Escape + &Key::Tab).await;
    assert_ne!(focused(page).await, before);
}

async fn read_executions(page: &Page) {
    page.keys("g").await;
    page.keys("e").await;
    page.stands_at("/executions").await;
    page.shows(".executions", "greet").await;
    page.keys("j").await;
    assert_eq!(focused(page).await, "greet");
    page.keys(Key::Enter).await;
    page.shows("aside.beside", "\"Ada\"").await;
    page.keys(Key::Escape).await;
    page.until("it stays open", "return document.querySelector('.beside').hidden", vec![]).await;
    assert_eq!(focused(page).await, "greet");
    page.keys(Key::Enter + &Key::Enter).await;
    page.see("Copy as").await;
    page.until("it is not alone", "return location.hash.includes('/functions/greet/executions/')", vec![])
        .await;
    page.keys("g").await;
    page.keys("f").await;
    page.stands_at("/functions").await;
}

/// By their ids: one that has ended, one that is listed nowhere yet, one of a message, and one that there is not.
async fn find_executions(page: &Page, fleet: &Fleet) {
    let ended = told(fleet, "/v1/functions/greet/executions").await["executions"][0]["id"].clone();
    let later = fleet.request(Method::POST, "/v1/functions/other/executions?delay=900").send().await.unwrap();
    let later = later.json::<Value>().await.unwrap()["id"].clone();
    for (id, function) in [(&ended, "greet"), (&later, "other")] {
        let id = id.as_str().unwrap();
        page.keys(Key::Control + "k").await;
        page.keys(id).await;
        page.shows("[role=option][aria-selected=true]", &format!("Execution of {function}")).await;
        page.keys(Key::Enter).await;
        page.stands_at(&format!("/functions/{function}/executions/{id}")).await;
    }
    page.keys(Key::Control + "k").await;
    page.keys("00000000-0000-4000-8000-000000000000").await;
    page.shows("dialog", "It is none of the newest 1000. Choose its function.").await;
    page.shows("[role=option]", "Look in other").await;
    page.keys(Key::Control + "a").await;
    page.keys("0".repeat(31)).await;
    page.shows("dialog", "No function has an execution of this id.").await;
    page.keys(Key::Escape).await;
}

#[tokio::test]
async fn tab_comes_to_everything_and_the_focus_is_seen() {
    let seeded = super::seeded::Seeded::start().await;
    let page = Page::open(&seeded.fleet, "/functions").await;
    let failed = format!("/functions/resize/executions/{}", seeded.failed);
    for path in
        ["/functions", "/functions/resize/config", "/executions", &failed, "/maps", "/dead-letters", "/fleet"]
    {
        page.go(path).await;
        page.loaded().await;
        page.browser.driver.execute("document.activeElement.blur(); scrollTo(0, 0)", vec![]).await.unwrap();
        let wanted = page.browser.run(WANTED, vec![]).await;
        let wanted: Vec<&str> = wanted.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let mut reached = vec![];
        for _ in 0..200 {
            page.keys(Key::Tab).await;
            let place = page.browser.run("return document.activeElement === document.body ? 'end' : Boolean(document.activeElement.closest('main'))", vec![]).await;
            if place == "end" {
                break;
            }
            let name = focused(&page).await;
            if place == true {
                reached.push(name);
            }
        }
        assert!(reached.len() >= wanted.len(), "{path}: Tab comes to {reached:#?} of {wanted:#?}");
    }
    page.close().await;
}
