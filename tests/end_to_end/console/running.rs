//! Running a function from the page, and what is seen of it.

use std::process::{Command, Output};

use fantoccini::key::Key;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::page::Page;
use super::{told, until};
use crate::fixtures::fleet::{Fleet, programs, repository};

const NESTED: &str = "{ greeting: \"Hello, #{event.fetch(\"name\")}\", list: (1..250).to_a, exact: 0.0, large: 12345678901234567890 }";
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
    download(&page).await;
    copy_as_all(&page, &fleet).await;
    page.close().await;
}

/// What the page copies, by the name it has in its menu.
async fn copied(page: &Page, name: &str) -> String {
    page.press("Copy as").await;
    page.press_in(name, Some("[role=menu]")).await;
    page.see(&format!("Copied it as {name}.")).await;
    let text = page.browser.run("return navigator.clipboard.readText()", vec![]).await;
    text.as_str().unwrap().to_owned()
}

/// What is copied runs, and gives the same.
async fn copy_as_all(page: &Page, fleet: &Fleet) {
    let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    page.browser.devtools("Browser.grantPermissions", permissions).await;
    let path = format!("{}:/usr/bin:/bin", programs().display());
    let shell = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(name);
        command.args(arguments).env("PATH", &path).env("no_proxy", "*");
        command
    };
    let text = |output: Output| {
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let curl = copied(page, "curl").await;
    let execution: Value =
        serde_json::from_str(&text(shell("sh", &["-c", &curl]).output().unwrap())).unwrap();
    assert_eq!(execution["input"], json!({"name": "Ada"}), "{execution}");
    let command = copied(page, "CLI").await;
    let told = text(shell("sh", &["-c", &command]).output().unwrap());
    assert!(told.contains("Hello, Ada"), "{command}: {told}");
    let ruby = copied(page, "Ruby").await;
    text(shell("ruby", &["-c", "-e", &ruby]).output().unwrap());
    let execution: Value =
        serde_json::from_str(&text(shell("ruby", &["-e", &ruby]).output().unwrap())).unwrap();
    assert_eq!(execution["result"]["greeting"], "Hello, Ada");
    let python = copied(page, "boto3 over SQS").await;
    let mut sent = shell(repository().join("target/python/bin/python").to_str().unwrap(), &["-c", &python]);
    for (name, address) in [
        ("BADLAMBDA_QUEUE_URL", "queue_url"),
        ("AWS_ENDPOINT_URL_SQS", "aws"),
        ("AWS_ACCESS_KEY_ID", "access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
        ("AWS_DEFAULT_REGION", "region"),
    ] {
        sent.env(name, fleet.address(address));
    }
    let url = text(sent.output().unwrap());
    let execution = fleet.finished(url.trim().strip_prefix(fleet.address("api")).unwrap()).await;
    assert_eq!(execution["result"]["greeting"], "Hello, Ada");
    let python = copied(page, "boto3 over Lambda").await;
    let mut invoked =
        shell(repository().join("target/python/bin/python").to_str().unwrap(), &["-c", &python]);
    for (name, address) in [
        ("AWS_ACCESS_KEY_ID", "access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
        ("AWS_DEFAULT_REGION", "region"),
    ] {
        invoked.env(name, fleet.address(address));
    }
    let told = text(invoked.output().unwrap());
    assert!(told.contains("Hello, Ada"), "{python}: {told}");
    listed(fleet, "greet", 8).await;
}

/// The file that "Download" saves is the result as it is shown.
async fn download(page: &Page) {
    let folder = TempDir::new().unwrap();
    let allow = json!({"behavior": "allow", "downloadPath": folder.path()});
    page.browser.devtools("Browser.setDownloadBehavior", allow).await;
    page.press("Download").await;
    let file = folder.path().join("result.json");
    until("no file is saved", async || file.exists()).await;
    let saved: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!((&saved["greeting"], &saved["list"][249]), (&json!("Hello, Ada"), &json!(250)));
    page.press("Raw").await;
    page.shows(".value", "\"exact\":0.0,\"large\":12345678901234567890").await;
    page.press("Raw").await;
    page.shows(".tree", "\"exact\": 0.0").await;
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
