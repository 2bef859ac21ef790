//! An API that asks for a token, and what each token sees.

use fantoccini::key::Key;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::page::Page;
use crate::fixtures::fleet::Fleet;

const SCOPES: [(&str, &[&str]); 4] = [
    ("reader", &["read"]),
    ("runner", &["read", "execute"]),
    ("caller", &["execute"]),
    ("manager", &["read", "execute", "manage"]),
];

/// A fleet that knows a token by each of these names: the name itself.
async fn guarded() -> Fleet {
    let entry = |(name, scopes): (&str, &[&str])| {
        let sha256: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"name": name, "sha256": sha256, "scopes": scopes})
    };
    let tokens = Value::from_iter(SCOPES.map(entry)).to_string();
    let fleet = Fleet::start_with(&[("BADLAMBDA_TOKENS", &tokens)]).await;
    let body = json!({"name": "greet", "code": "{ hi: event }"});
    let request = fleet.request(Method::POST, "/v1/functions").header("authorization", "Bearer manager");
    assert_eq!(request.json(&body).send().await.unwrap().status(), 201);
    fleet
}

async fn sign_in(page: &Page, token: &str) {
    page.see("Sign in").await;
    page.fill("Token", token).await;
    page.keys(Key::Enter).await;
}

async fn sign_out(page: &Page) {
    page.keys(Key::Control + "k").await;
    page.keys("Sign out").await;
    page.keys(Key::Enter).await;
    page.see("The API asks for a token. It is kept until you close this tab.").await;
}

/// What can be pressed, by name, without what stands around every view.
async fn buttons(page: &Page) -> Vec<String> {
    let script = "return [...document.querySelectorAll('main button, main a.button, .actions button, .actions a')].filter((element) => element.checkVisibility()).map(({ innerText }) => innerText)";
    let found = page.browser.run(script, vec![]).await;
    found.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn has(buttons: &[String], name: &str) -> bool {
    buttons.iter().any(|button| button.starts_with(name))
}

#[tokio::test]
async fn it_is_asked_for_kept_in_the_tab_and_hides_what_it_does_not_allow() {
    let fleet = guarded().await;
    let page = Page::open(&fleet, "/functions").await;
    page.see("The API asks for a token.").await;
    page.keys(Key::Escape).await;
    sign_in(&page, "wrong").await;
    page.see("The API does not know that token. Try another one.").await;
    sign_in(&page, "reader").await;
    page.see("greet").await;
    let kept = "return JSON.stringify(Object.values(sessionStorage)).includes('reader') && !JSON.stringify(Object.values(localStorage)).includes('reader') && document.cookie === ''";
    page.until("the token is not where it belongs", kept, vec![]).await;
    page.browser.driver.refresh().await.unwrap();
    page.see("greet").await;
    assert!(!has(&buttons(&page).await, "New function"));
    what_a_reader_sees(&page).await;
    sign_out(&page).await;
    sign_in(&page, "runner").await;
    what_a_runner_sees(&page).await;
    sign_out(&page).await;
    sign_in(&page, "manager").await;
    page.go("/functions/greet").await;
    page.shows(".actions", "Save as v2").await;
    page.press("More").await;
    page.shows("[role=menu]", "Delete greet").await;
    page.close_after(&[("401", "/v1/token")]).await;
}

async fn what_a_reader_sees(page: &Page) {
    page.press("greet").await;
    page.see("v1").await;
    page.element("[aria-label^='Code of greet']").await;
    let seen = buttons(page).await;
    assert!(has(&seen, "More") && !["Run", "Save", "Edit"].iter().any(|name| has(&seen, name)), "{seen:?}");
    page.press("More").await;
    page.shows("[role=menu]", "Download the code").await;
    let menu = page.browser.run("return document.querySelector('[role=menu]').innerText", vec![]).await;
    assert_eq!(menu, "Download the code");
    page.keys(Key::Escape).await;
    for (path, text, hidden) in [
        ("/functions/greet/config", "memory_mb", "Save"),
        ("/functions/greet/versions", "From v1 to v1", "New alias"),
        ("/maps", "No maps.", "New map"),
        ("/dead-letters", "No dead letters.", "Purge"),
    ] {
        page.go(path).await;
        page.see(text).await;
        let seen = buttons(page).await;
        assert!(!has(&seen, hidden) && !has(&seen, "Run"), "{path}: {seen:?}");
    }
}

async fn what_a_runner_sees(page: &Page) {
    page.go("/functions/greet").await;
    page.press("Run").await;
    page.shows(".outcome .pill", "succeeded").await;
    let seen = buttons(page).await;
    assert!(has(&seen, "Replay") && !has(&seen, "Save"), "{seen:?}");
    page.go("/maps").await;
    page.see("New map").await;
}

/// It may run what it knows the name of, and see nothing.
#[tokio::test]
async fn a_token_that_may_only_execute_is_told_so() {
    let fleet = guarded().await;
    let page = Page::open(&fleet, "/functions").await;
    sign_in(&page, "caller").await;
    page.shows(".problem", "read").await;
    page.shows(".problem .id", "Request ").await;
    page.shows(".problem", "Try again").await;
    assert!(!has(&buttons(&page).await, "New function"));
    page.go("/maps").await;
    page.see("New map").await;
    page.close_after(&[("401", "/v1/token"), ("403", "/v1/")]).await;
}
