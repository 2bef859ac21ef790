//! An API that asks for a token, and what each token sees.

use fantoccini::key::Key;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::looks::accessibility_faults;
use super::page::Page;
use crate::fixtures::fleet::Fleet;

/// A fleet that knows some tokens, each of which is its own name.
async fn guarded() -> Fleet {
    let mut tokens = json!([
        {"name": "reader", "scopes": ["read"]},
        {"name": "runner", "scopes": ["read", "execute"]},
        {"name": "caller", "scopes": ["execute"]},
        {"name": "owner", "scopes": ["read", "execute", "manage"], "functions": ["greet"]},
        {"name": "slow", "scopes": ["read", "execute"], "per_second": 10},
        {"name": "manager", "scopes": ["read", "execute", "manage"]},
    ]);
    for token in tokens.as_array_mut().unwrap() {
        let digest = Sha256::digest(token["name"].as_str().unwrap());
        token["sha256"] = json!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    let fleet = Fleet::start_with(&[("BADLAMBDA_TOKENS", &tokens.to_string())]).await;
    for name in ["greet", "other"] {
        let body = json!({"name": name, "code": "{ hi: event }"});
        let request = fleet.request(Method::POST, "/v1/functions").header("authorization", "Bearer manager");
        assert_eq!(request.json(&body).send().await.unwrap().status(), 201);
    }
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
    let faults = accessibility_faults(&page, "sign in").await;
    assert!(faults.is_empty(), "{faults:#?}");
    sign_in(&page, "wrong").await;
    page.see("The API does not know that token. Try another one.").await;
    sign_in(&page, "reader").await;
    page.see("greet").await;
    let kept = "return JSON.stringify(Object.values(sessionStorage)).includes('reader') && !JSON.stringify(Object.values(localStorage)).includes('reader') && document.cookie === ''";
    page.until("the token is not where it belongs", kept, vec![]).await;
    page.browser.driver.refresh().await.unwrap();
    page.see("greet").await;
    assert!(!has(&buttons(&page).await, "New function"));
    let faults = accessibility_faults(&page, "functions, with a token").await;
    assert!(faults.is_empty(), "{faults:#?}");
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

/// It sees its own functions, and of others no more than that it may not.
#[tokio::test]
async fn a_token_of_some_functions_sees_those_alone() {
    let fleet = guarded().await;
    let page = Page::open(&fleet, "/functions").await;
    sign_in(&page, "owner").await;
    page.shows("main", "greet").await;
    let names = "return [...document.querySelectorAll('main tbody th')].map(({ innerText }) => innerText)";
    assert_eq!(page.browser.run(names, vec![]).await, json!(["greet"]));
    page.press("greet").await;
    page.press("Run").await;
    page.shows(".outcome .pill", "succeeded").await;
    page.go("/functions/other").await;
    page.shows(".problem", "other").await;
    page.close_after(&[("401", "/v1/token"), ("403", "/v1/")]).await;
}

/// When replays were begun though the API had asked to wait for a second: ms after it did. What had begun then is no matter.
const HASTY: &str = r#"
    const replays = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/replay"));
    const refused = replays.filter(({ responseStatus }) => responseStatus === 429);
    if (!refused.length) return "none was refused";
    return refused.flatMap(({ responseEnd }) => replays.map(({ startTime }) => startTime - responseEnd)).filter((after) => after > 300 && after < 900);
"#;

/// The page asks for more than the token may: it waits as long as the API says, and then goes on.
#[tokio::test]
async fn what_is_too_much_for_a_rate_is_done_all_the_same() {
    let fleet = guarded().await;
    let inputs: Vec<u64> = (0..90).collect();
    let batch = fleet.request(Method::POST, "/v1/functions/greet/executions/batch").json(&inputs);
    assert_eq!(batch.header("authorization", "Bearer manager").send().await.unwrap().status(), 200);
    let page = Page::open(&fleet, "/executions").await;
    sign_in(&page, "slow").await;
    page.see("90 listed").await;
    page.press("Choose all that are listed").await;
    page.press("Replay 90").await;
    page.press("Replay 90").await;
    // However slow the page is, the token is used for something else, too.
    for _ in 0..100 {
        fleet.request(Method::GET, "/v1/token").header("authorization", "Bearer slow").send().await.unwrap();
    }
    page.see("90 replayed").await;
    assert_eq!(page.browser.run(HASTY, vec![]).await, json!([]));
    page.close_after(&[("401", "/v1/token"), ("429", "/v1/")]).await;
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
