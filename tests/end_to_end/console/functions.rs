//! The life of a function, as somebody leads it who has nothing but the page.

use badlambda_shared::function::package::Packer;
use fantoccini::key::Key;
use reqwest::Method;
use serde_json::json;

use super::page::Page;
use super::{told, until};
use crate::fixtures::fleet::Fleet;

const BROKEN: &str = "words = event.fetch(\"text\").split\nwords = = words\n{ words: words.size }\n";
const MENDED: &str = "words = event.fetch(\"text\").split\n{ words: words.size }\n";

/// What stands in the editor.
const CODE: &str = "return document.querySelector('[aria-label=\"Code of words\"]').value";

/// Which line of the editor is marked as failing.
const FAILING: &str = "const line = document.querySelector('.failing'); return line && [...line.parentNode.children].indexOf(line) === arguments[0]";

#[tokio::test]
async fn a_function_is_led_from_an_example_to_its_end() {
    let fleet = Fleet::start().await;
    let page = Page::open(&fleet, "/").await;
    create_from_an_example(&page, &fleet).await;
    mend_a_syntax_error(&page, &fleet).await;
    compare_and_roll_back(&page, &fleet).await;
    move_an_alias(&page, &fleet).await;
    remove_the_alias(&page, &fleet).await;
    set_the_config(&page, &fleet).await;
    delete_it(&page, &fleet).await;
    page.close_after(&[("422", "/v1/functions/words")]).await;
}

async fn create_from_an_example(page: &Page, fleet: &Fleet) {
    page.see("A function is Ruby code that runs when somebody calls it. Begin with an example:").await;
    page.press("Logs").await;
    page.stands_at("/new?example=logs").await;
    page.see("Writes lines while it works.").await;
    page.fill("Name", "no name").await;
    page.press("Create").await;
    page.shows(".wrong", "A name has 1 to 64 letters").await;
    page.fill("Name", "words").await;
    page.press("Create").await;
    page.stands_at("/functions/words").await;
    page.shows(".crumbs", "words · v1").await;
    let function = told(fleet, "/v1/functions/words").await;
    assert_eq!((&function["version"], &function["form"]), (&json!(1), &json!("script")));
    let code = fleet.get("/v1/functions/words/versions/1/code").await.text().await.unwrap();
    assert!(code.contains("words.tally"), "{code}");
}

async fn mend_a_syntax_error(page: &Page, fleet: &Fleet) {
    page.paste("Code of words", BROKEN).await;
    page.until("line 2 is not marked", FAILING, vec![json!(2)]).await;
    page.see("Differs from v1").await;
    page.browser.driver.refresh().await.unwrap();
    page.see("Differs from v1").await;
    assert_eq!(page.browser.run(CODE, vec![]).await, BROKEN);
    page.until("line 2 is not marked again", FAILING, vec![json!(2)]).await;
    page.press("Line 2, column").await;
    let line = "const code = document.activeElement; return code.value.slice(0, code.selectionStart).split('\\n').length === 2";
    page.until("the cursor is not on line 2", line, vec![]).await;
    page.press("Save as v2").await;
    page.shows(".notices .problem", "line 2, column 7").await;
    assert_eq!(told(fleet, "/v1/functions/words").await["version"], 1);
    page.paste("Code of words", MENDED).await;
    page.until("a line is marked", "return document.querySelector('.failing') === null", vec![]).await;
    page.see("script form").await;
    page.keys(Key::Control + "s").await;
    page.see("Saved v2.").await;
    page.shows(".crumbs", "words · v2").await;
    assert_eq!(fleet.get("/v1/functions/words/versions/2/code").await.text().await.unwrap(), MENDED);
}

async fn compare_and_roll_back(page: &Page, fleet: &Fleet) {
    assert_eq!(fleet.execute("words", &json!({"text": 5})).await["status"], "failed");
    until("the failure is not counted", async || {
        told(fleet, "/v1/functions/words/stats").await["versions"][0]["failed"] == 1
    })
    .await;
    page.press_in("Versions", Some(".tabs")).await;
    page.see("From v1 to v2").await;
    page.shows(".diff ins", "{ words: words.size }").await;
    page.shows(".diff del", "words.tally").await;
    page.shows(".compare", "No difference.").await;
    page.shows("tr:has([href*='version=2']) .failures", "100 %").await;
    page.press("Roll back to v1").await;
    page.see("v3 is v1 again.").await;
    page.shows(".crumbs", "words · v3").await;
    let code = async |version| {
        let path = format!("/v1/functions/words/versions/{version}/code");
        fleet.get(&path).await.text().await.unwrap()
    };
    assert_eq!(code(3).await, code(1).await);
}

async fn move_an_alias(page: &Page, fleet: &Fleet) {
    page.press("New alias").await;
    page.fill("Second version", "2").await;
    page.focus("Its share of executions").await;
    for _ in 0..10 {
        page.keys(Key::Right).await;
    }
    page.see("10 % to v2").await;
    page.press("Create").await;
    page.shows(".aliases", "live → 3 (10 % 2)").await;
    let weighted = json!({"version": 3, "weights": {"2": 0.1}});
    assert_eq!(told(fleet, "/v1/functions/words").await["aliases"]["live"], weighted);
    page.press("Roll back to v2").await;
    page.shows(".aliases", "live → 2").await;
    assert_eq!(told(fleet, "/v1/functions/words").await["aliases"]["live"], 2);
    page.press_in("Undo", Some(".toast:last-child")).await;
    page.shows(".aliases", "live → 3 (10 % 2)").await;
    assert_eq!(told(fleet, "/v1/functions/words").await["aliases"]["live"], weighted);
}

async fn remove_the_alias(page: &Page, fleet: &Fleet) {
    page.press("Move live").await;
    page.fill("Version", "1").await;
    page.fill("Second version", "3").await;
    page.press_in("Move", Some("dialog")).await;
    page.shows(".aliases", "live → 1 (10 % 3)").await;
    let moved = json!({"version": 1, "weights": {"3": 0.1}});
    assert_eq!(told(fleet, "/v1/functions/words").await["aliases"]["live"], moved);
    page.press("Delete live").await;
    page.see("Who names it is refused from then on. Its versions stay.").await;
    page.press_in("Delete live", Some("dialog")).await;
    page.see("An alias is a name for a version.").await;
    assert_eq!(told(fleet, "/v1/functions/words").await["aliases"], json!({}));
}

async fn set_the_config(page: &Page, fleet: &Fleet) {
    page.press_in("Config", Some(".tabs")).await;
    page.see("From 48 MiB to 10 GiB, 256 MiB by default.").await;
    page.fill("memory_mb", "1").await;
    page.see("Differs from v3").await;
    page.press_in("Versions", Some(".tabs")).await;
    page.see("From v2 to v3").await;
    page.press_in("Config", Some(".tabs")).await;
    page.see("Differs from v3").await;
    page.browser.driver.refresh().await.unwrap();
    page.see("Differs from v3").await;
    let kept = "return document.querySelector('#config-memory_mb').value === arguments[0]";
    page.until("what was typed is lost", kept, vec![json!("1")]).await;
    page.press("Undo all").await;
    page.miss("Differs from v3").await;
    page.until("what was typed stays", kept, vec![json!("256")]).await;
    page.fill("memory_mb", "1").await;
    page.press("Save as v4").await;
    page.shows("#config-memory_mb-wrong", "48").await;
    let focused = "return document.activeElement.id === 'config-memory_mb'";
    page.until("the focus is not where the value is wrong", focused, vec![]).await;
    assert_eq!(told(fleet, "/v1/functions/words").await["version"], 3);
    page.fill("memory_mb", "128").await;
    page.press("Add a variable").await;
    page.keys("STAGE").await;
    page.fill("Value", "test").await;
    page.press("Save as v4").await;
    page.see("Saved v4.").await;
    let config = &told(fleet, "/v1/functions/words").await["config"];
    assert_eq!((&config["memory_mb"], &config["environment"]), (&json!(128), &json!({"STAGE": "test"})));
    assert_eq!(config["timeout_ms"], 30_000);
}

async fn delete_it(page: &Page, fleet: &Fleet) {
    page.press_in("Code", Some(".tabs")).await;
    page.press("More").await;
    page.press("Delete words").await;
    page.see("There is no way back.").await;
    let is_off = "return document.querySelector('dialog .button.bad').disabled";
    page.until("it can be deleted by a press", is_off, vec![]).await;
    page.fill("Type words", "words").await;
    page.press("Delete words").await;
    page.stands_at("/functions").await;
    page.see("Begin with an example:").await;
    assert_eq!(fleet.get("/v1/functions/words").await.status(), 404);
}

#[tokio::test]
async fn code_in_a_zip_runs_and_is_not_taken_for_text() {
    let fleet = Fleet::start().await;
    let mut packer = Packer::default();
    packer.file("function.rb", b"def handler(event:, context:) = { got: event }\n", false).unwrap();
    let upload =
        fleet.request(Method::POST, "/v1/functions?name=packed").header("content-type", "application/zip");
    assert_eq!(upload.body(packer.finish().unwrap()).send().await.unwrap().status(), 201);
    let page = Page::open(&fleet, "/functions/packed").await;
    page.shows(".editor", "# a zip of ").await;
    page.press("Run").await;
    page.shows(".outcome .pill", "succeeded").await;
    let fixed = "return document.querySelector('[aria-label=\"Code of packed\"]').readOnly || document.querySelector('[aria-readonly=true]') !== null";
    page.until("it can be edited", fixed, vec![]).await;
    page.press_in("Config", Some(".tabs")).await;
    page.see("The code is a zip. Its config is set where it is deployed.").await;
    let off = "const inputs = [...document.querySelectorAll('.config :is(input, select, button)')]; return inputs.length > 5 && inputs.every(({ disabled }) => disabled)";
    page.until("its config can be edited", off, vec![]).await;
    page.press_in("Versions", Some(".tabs")).await;
    page.see("No difference.").await;
    page.close().await;
}

#[tokio::test]
async fn who_saves_second_is_shown_what_the_first_has_saved_and_loses_nothing() {
    let fleet = Fleet::start().await;
    fleet.create("shared", "1", json!({})).await;
    let (first, second) =
        (Page::open(&fleet, "/functions/shared").await, Page::open(&fleet, "/functions/shared").await);
    for (page, code) in [(&second, "\"of the second\""), (&first, "\"of the first\"")] {
        page.see("v1").await;
        page.paste("Code of shared", code).await;
    }
    first.press("Save as v2").await;
    first.see("Saved v2.").await;
    second.press("Save as v2").await;
    second.see("v2 was saved before yours").await;
    second.shows("dialog .diff del", "of the first").await;
    second.shows("dialog .diff ins", "of the second").await;
    second.press("Cancel").await;
    let kept =
        "return document.querySelector('[aria-label=\"Code of shared\"]').value === '\"of the second\"'";
    second.until("what was typed is lost", kept, vec![]).await;
    assert_eq!(told(&fleet, "/v1/functions/shared").await["version"], 2);
    second.press("Save as v2").await;
    second.press("Save as v3").await;
    second.see("Saved v3.").await;
    for (version, code) in [(2, "\"of the first\""), (3, "\"of the second\"")] {
        let path = format!("/v1/functions/shared/versions/{version}/code");
        assert_eq!(fleet.request(Method::GET, &path).send().await.unwrap().text().await.unwrap(), code);
    }
    first.close().await;
    second.close_after(&[("412", "/v1/functions/shared")]).await;
}
