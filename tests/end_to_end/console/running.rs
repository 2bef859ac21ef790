//! Running a function from the page, and what is seen of it.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::page::Page;
use super::{told, until};
use crate::fixtures::fleet::Fleet;

const NESTED: &str =
    "{ greeting: \"Hello, #{event.fetch(\"name\")}\", list: (1..250).to_a, nested: { a: { b: 1 } } }";
const HALVES: &str = "def handler(event:, context:)\n  halve(event)\nend\n\ndef halve(event)\n  event.fetch(\"n\").fdiv(2)\nend\n";
const PICTURE: &str = r##"%(<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120"><script>window.top.pwned = 1</script><rect width="240" height="120" fill="#b3123a"/></svg>)"##;

/// Waits until so many executions of a function are listed.
async fn listed(fleet: &Fleet, name: &str, number: usize) {
    until(&format!("not {number} executions are listed"), async || {
        executions(fleet, name).await.len() == number
    })
    .await;
}

/// The executions of a function, the newest first.
async fn executions(fleet: &Fleet, name: &str) -> Vec<Value> {
    let listed = told(fleet, &format!("/v1/functions/{name}/executions")).await;
    listed["executions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn logs_come_while_it_runs_and_it_can_be_cancelled() {
    let fleet = Fleet::start().await;
    fleet
        .create(
            "slow",
            "$stdout.sync = true\nputs \"\\e[31mbegun\\e[0m\"\nsleep 600\n",
            json!({"timeout_ms": 600_000}),
        )
        .await;
    let page = Page::open(&fleet, "/functions/slow").await;
    page.focus("Code of slow").await;
    page.keys(Key::Control + &Key::Enter).await;
    let answered =
        page.browser.run("return document.querySelector('.outcome .pill').innerText", vec![]).await;
    assert!(["sending", "queued", "running"].map(Value::from).contains(&answered), "{answered}");
    page.shows(".logs", "begun").await;
    page.shows(".outcome .pill", "running").await;
    let ink = "return document.querySelector('.logs .ink')?.innerText === 'begun'";
    page.until("it has no colour", ink, vec![]).await;
    page.press("Cancel").await;
    page.shows(".outcome .pill", "cancelled").await;
    let gone = "return [...document.querySelectorAll('button')].every(({ hidden, innerText }) => hidden || !innerText.startsWith('Cancel'))";
    page.until("it can be cancelled again", gone, vec![]).await;
    until("it is not listed as cancelled", async || {
        executions(&fleet, "slow").await.first().is_some_and(|execution| execution["status"] == "cancelled")
    })
    .await;
    page.close().await;
}

#[tokio::test]
async fn its_stations_its_result_and_its_input_are_at_hand() {
    let fleet = Fleet::start().await;
    fleet.create("greet", NESTED, json!({})).await;
    let page = Page::open(&fleet, "/functions/greet").await;
    page.paste("Input", "{\"name\": ").await;
    page.shows(".input .wrong", "Line 1, column").await;
    page.press("Run").await;
    page.paste("Input", "{\"name\": \"Ada\"}").await;
    page.press("Run").await;
    page.shows(".outcome .pill", "succeeded").await;
    page.shows(".tree", "\"Hello, Ada\"").await;
    let stations = "return ['send', 'queue', 'start', 'run', 'store'].every((name, at) => \
        new RegExp(`^${name} [\\\\d.]+`).test(document.querySelector('.figures').children[at].innerText.trim()))";
    page.until("not every station has its time", stations, vec![]).await;
    for fact in ["CPU", "memory", "version 1", "cost $"] {
        page.shows(".facts", fact).await;
    }
    page.press("\"list\": [250]").await;
    page.press("Show 100 of 150 more").await;
    page.see("Show 50 of 50 more").await;
    page.paste("Input", "{\"name\": \"Grace\"}").await;
    page.press("Run").await;
    page.shows(".tree", "\"Hello, Grace\"").await;
    page.press("Last inputs").await;
    page.press("{\"name\": \"Ada\"}").await;
    page.keys(Key::Control + &Key::Enter).await;
    page.shows(".tree", "\"Hello, Ada\"").await;
    listed(&fleet, "greet", 3).await;
    copy_as_curl(&page, &fleet).await;
    page.close().await;
}

/// What is copied is run by a shell, and gives the same.
async fn copy_as_curl(page: &Page, fleet: &Fleet) {
    let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    page.browser.devtools("Browser.grantPermissions", permissions).await;
    page.press("Copy as").await;
    page.press("curl").await;
    page.see("Copied it as curl.").await;
    let copied = page.browser.run("return navigator.clipboard.readText()", vec![]).await;
    let mut shell = std::process::Command::new("sh");
    let ran = shell.args(["-c", copied.as_str().unwrap()]).env("no_proxy", "*").output().unwrap();
    let execution: Value =
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{copied}: {ran:?}"));
    assert_eq!(execution["input"], json!({"name": "Ada"}), "{execution}");
    listed(fleet, "greet", 4).await;
}

#[tokio::test]
async fn an_error_leads_to_its_line_and_code_runs_before_it_is_saved() {
    let fleet = Fleet::start().await;
    fleet.create("halve", HALVES, json!({})).await;
    let page = Page::open(&fleet, "/functions/halve").await;
    page.paste("Input", "{\"n\": \"x\"}").await;
    page.press("Run").await;
    page.shows(".outcome .pill", "failed").await;
    page.shows(".failure", "NoMethodError").await;
    let marked = "const line = document.querySelector('.failing'); return line && [...line.parentNode.children].indexOf(line) === 6";
    page.until("line 6 is not marked", marked, vec![]).await;
    page.press("function.rb:2").await;
    let line = "const code = document.activeElement; return code.value.slice(0, code.selectionStart).split('\\n').length === 2";
    page.until("the cursor is not on line 2", line, vec![]).await;
    page.paste("Code of halve", &HALVES.replace(".fdiv", ".length.fdiv")).await;
    page.keys(Key::Control + &Key::Enter).await;
    page.shows(".outcome .pill", "succeeded").await;
    page.shows(".value", "0.5").await;
    assert_eq!(told(&fleet, "/v1/functions/halve").await["version"], 1);
    until("what was not saved is not listed", async || {
        told(&fleet, "/v1/executions").await["executions"][0]["function"] == "_run"
    })
    .await;
    assert_eq!(executions(&fleet, "halve").await.len(), 1);
    page.close().await;
}

#[tokio::test]
async fn a_picture_is_shown_and_its_script_does_not_run() {
    let fleet = Fleet::start().await;
    fleet.create("picture", PICTURE, json!({})).await;
    let page = Page::open(&fleet, "/functions/picture").await;
    page.press("Run").await;
    page.press("Show as image").await;
    let drawn = "const image = document.querySelector('img'); return image.naturalWidth === 240 && image.src.startsWith('data:image/svg+xml')";
    page.until("the picture is not drawn", drawn, vec![]).await;
    page.see("240 × 120 px").await;
    page.press("Raw").await;
    page.shows(".value", "window.top.pwned").await;
    let pwned = page.browser.run("return window.pwned === undefined", vec![]).await;
    assert_eq!(pwned, true);
    page.close().await;
}
