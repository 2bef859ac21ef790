//! What functions and senders write is hostile: it is shown as text, and the page goes on answering.

use reqwest::Method;
use serde_json::{Value, json};

use super::page::Page;
use crate::fixtures::fleet::Fleet;

const MARKUP: &str = "</script></textarea></title><img src=x onerror='top.pwned = 1'><svg onload='top.pwned = 1'><script>top.pwned = 1</script><a href='javascript:top.pwned = 1'>click</a>";
/// Turns text around, hides it, sets a terminal's title, clears it, and asks it to answer.
const ESCAPES: &str = "abc\u{202e}txt.exe\u{2066}\u{200b}\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31mred\u{1b}[6n\u{1b}P+q\u{0}\u{8}\r";

/// Looks, from before the page begins on, at what must not happen: a forbidden thing, and a page that does not answer.
const WATCH: &str = r#"
    globalThis.watched = { longest: 0, reports: [] };
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
    }).observe({ type: "longtask", buffered: true });
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => watched.reports.push(`${violatedDirective} ${blockedURI}`));
"#;

/// What is hostile in what is shown: an element or attribute that nobody of the page has made; and, but for what is
/// edited, text that turns or hides others.
const LOOK: &str = r#"
    const forged = [...document.querySelectorAll("main :is(script, iframe, object, embed, [onerror], [onload], [href^='javascript' i], img:not([alt='The result as an image']))")];
    const main = document.querySelector("main").cloneNode(true);
    main.querySelectorAll(".editor").forEach((editor) => editor.remove());
    const unseen = main.textContent.match(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069\u200b]/g) ?? [];
    return { ...watched, pwned: globalThis.pwned ?? null, forged: forged.map(({ outerHTML }) => outerHTML), unseen: unseen.map((one) => one.charCodeAt(0)) };
"#;

/// Waits until `text` is shown at `path`; nothing else has happened, and the page answers.
async fn look_at(page: &Page, path: &str, text: &str) {
    page.go(path).await;
    page.see(text).await;
    page.press_in("Dark", Some(".theme")).await;
    page.press_in("System", Some(".theme")).await;
    let seen = page.browser.run(LOOK, vec![]).await;
    eprintln!("{path}: longest task {} ms", seen["longest"]);
    assert!(seen["longest"].as_f64().unwrap() < 1000.0, "{path}: {seen}");
    assert_eq!(
        (&seen["pwned"], &seen["forged"], &seen["reports"]),
        (&Value::Null, &json!([]), &json!([])),
        "{path}"
    );
    assert_eq!(seen["unseen"], json!([]), "{path}");
    assert!(page.browser.driver.get_alert_text().await.is_err(), "{path} has opened a dialog");
}

async fn guarded(fleet: &Fleet) -> Page {
    let page = Page::open(fleet, "/maps").await;
    page.browser.before_each_page(WATCH).await;
    page.browser.driver.refresh().await.unwrap();
    page
}

/// The address of an execution, in the page.
fn address(execution: &Value) -> String {
    format!(
        "/functions/{}/executions/{}",
        execution["function"].as_str().unwrap(),
        execution["id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn what_functions_write_is_shown_as_text() {
    let fleet = Fleet::start().await;
    let code = format!(
        "# {MARKUP} {ESCAPES}\nputs event[\"log\"]\nraise event[\"error\"] if event[\"error\"]\nevent[\"result\"]\n"
    );
    let code = code.replace(['\0', '\r'], "");
    fleet.create("hostile", &code, json!({})).await;
    let both = format!("{MARKUP} {ESCAPES}");
    let map = fleet
        .request(Method::POST, "/v1/functions/hostile/maps")
        .body(format!("{}\n", json!({"error": both})));
    let map = map.send().await.unwrap().json::<Value>().await.unwrap();
    let returned = fleet.execute("hostile", &json!({"log": both, "result": {&both: [&both]}})).await;
    let raised = fleet.execute("hostile", &json!({"log": both, "error": both})).await;
    let page = guarded(&fleet).await;
    look_at(&page, "/functions/hostile", "script form").await;
    page.see("From line 1 on: ‹U+202E›").await;
    let isolated = "return [...document.querySelectorAll('.editor .invisible')].filter((mark) => getComputedStyle(mark).unicodeBidi === 'isolate').map(({ innerText }) => innerText.codePointAt(0))";
    let marked = page.browser.run(isolated, vec![]).await;
    assert!(marked.as_array().unwrap().contains(&json!(0x202e)), "{marked}");
    look_at(&page, &address(&returned), "‹U+202E›txt.exe").await;
    page.shows(".logs", "<img src=x onerror=").await;
    page.shows(".logs .ink", "red").await;
    page.press("Raw").await;
    look_at(&page, &address(&returned), "<script>top.pwned = 1</script>").await;
    look_at(&page, &address(&raised), "RuntimeError: </script>").await;
    page.press("Replay").await;
    page.press("Run again").await;
    page.see("Old and new error").await;
    look_at(&page, "/executions", "‹U+202E›txt.exe").await;
    look_at(&page, "/functions/hostile/executions", "<img src=x onerror=").await;
    let path = format!("/functions/hostile/maps/{}", map["id"].as_str().unwrap());
    look_at(&page, &path, "RuntimeError: </script>").await;
    page.close().await;
}

#[tokio::test]
async fn what_is_huge_or_deep_does_not_hold_the_page_up() {
    let fleet = Fleet::start().await;
    let code = r#"
        case event
        when "line" then puts "x" * 5 * 1024 * 1024
        when "text" then "\u202e<b>" * 1024 * 1024
        when "error" then raise "<b>" * 1024 * 1024
        when "deep" then 90.times.reduce(1) { |inner, _| [inner] }
        when "wide" then { list: (1..200_000).to_a, key: { "k" * 100_000 => 1 } }
        when "red" then 200_000.times { print "\e[3#{rand(8)}mx" }
        end
    "#;
    fleet.create("huge", code, json!({"max_log_bytes": 8 << 20, "max_result_bytes": 16 << 20})).await;
    let page = guarded(&fleet).await;
    for (input, text) in [
        ("line", "xxxxxxxxxx"),
        ("text", "‹U+202E›<b>"),
        ("error", "RuntimeError: <b>"),
        ("deep", "[1]"),
        ("wide", "[200"),
        ("red", "xxxxxxxxxx"),
    ] {
        let execution = fleet.execute("huge", &json!(input)).await;
        look_at(&page, &address(&execution), text).await;
    }
    look_at(&page, "/executions", "<b><b><b>").await;
    page.close().await;
}

#[tokio::test]
async fn what_senders_write_is_shown_as_text() {
    let fleet = Fleet::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let escapes = ESCAPES.replace(['\0', '\u{8}', '\u{1b}', '\u{7}'], "");
    fleet.send(&format!("{MARKUP} {escapes}"), None).await;
    fleet.send(&deep, Some("missing")).await;
    fleet
        .send(&json!({"function": "missing", "input": format!("{MARKUP} {escapes}")}).to_string(), None)
        .await;
    let letters = super::seeded::dead_letters(&fleet, 3).await;
    let page = guarded(&fleet).await;
    look_at(&page, "/dead-letters", "<img src=x onerror=").await;
    for id in letters {
        look_at(&page, &format!("/dead-letters/{id}"), "Why it is here").await;
    }
    page.close().await;
}
