//! The console as a person uses it: by what is written on it, and by keys.

use std::ops::Deref;
use std::path::Path;
use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::browser::Browser;
use crate::fixtures::fleet::{Fleet, PATIENCE};

/// Finds what can be pressed, or typed into, by its name: as a screen reader would say it, or as it is written.
const FIND: &str = r#"
    const [kind, name, within] = arguments;
    const kinds = {
        press: "button, a[href], summary, [role=tab], [role=menuitem], [role=option], [role=treeitem], label, input[type=checkbox], input[type=radio]",
        type: "input, textarea, select, [contenteditable]",
    };
    const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
    const name_of = (element) => {
        const by = element.getAttribute("aria-labelledby");
        const labels = [...(element.labels ?? [])].map((label) => label.innerText);
        const labelled = by ? by.split(/\s+/).map((id) => document.getElementById(id)?.innerText) : [];
        return [element.getAttribute("aria-label"), ...labelled, ...labels, element.innerText, element.title, element.placeholder]
            .filter(Boolean).map((text) => text.replace(/\s+/g, " ").trim());
    };
    const dialogs = [...document.querySelectorAll("dialog[open], [popover]:popover-open")];
    const root = within ? document.querySelector(within) : (dialogs.at(-1) ?? document);
    const all = [...(root?.querySelectorAll(kinds[kind]) ?? [])].filter((element) => seen(element) && !element.disabled);
    const is = all.find((element) => name_of(element).some((text) => text === name));
    const begins = all.find((element) => name_of(element).some((text) => text.startsWith(name)));
    return is ?? begins ?? null;
"#;

/// The page of one browser.
pub struct Page {
    pub browser: Browser,
    pub origin: String,
}

impl Page {
    /// The console of `fleet`, at a path behind the `#`.
    pub async fn open(fleet: &Fleet, path: &str) -> Self {
        let browser = Browser::start().await;
        let page = Self { browser, origin: fleet.address("api").to_owned() };
        page.browser.resize(1440, 900, 1).await;
        page.go(path).await;
        page
    }

    pub async fn go(&self, path: &str) {
        let leave = "if (location.hash !== `#${arguments[0]}`) document.querySelector('main > *')?.setAttribute('data-left', '')";
        self.browser.run(leave, vec![json!(path)]).await;
        self.browser.driver.goto(&format!("{}/#{path}", self.origin)).await.unwrap();
    }

    /// Waits until the view that `go` has named is there, and loads nothing any more.
    pub async fn loaded(&self) {
        let script = "const main = document.querySelector('main'); \
            return main.querySelector('[aria-busy=true], [data-left]') === null && main.innerText.trim() !== ''";
        self.until("the view is not loaded", script, vec![]).await;
    }

    /// Waits until `script`, the body of a function, returns something that is true.
    pub async fn until(&self, what: &str, script: &str, arguments: Vec<Value>) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.browser.run(script, arguments.clone()).await;
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            if Instant::now() > deadline {
                let text = self.text().await;
                let log = self.log().await;
                panic!("{what}: not within {PATIENCE:?}. The page says:\n{text}\nlog: {log:#?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until this is written on the page.
    pub async fn see(&self, text: &str) {
        let script = "return document.body.innerText.replace(/\\s+/g, ' ').includes(arguments[0])";
        self.until(&format!("{text:?} is not seen"), script, vec![json!(text)]).await;
    }

    /// Waits until this is no longer written on the page.
    pub async fn miss(&self, text: &str) {
        let script = "return !document.body.innerText.replace(/\\s+/g, ' ').includes(arguments[0])";
        self.until(&format!("{text:?} is still seen"), script, vec![json!(text)]).await;
    }

    /// What is written on the page.
    pub async fn text(&self) -> String {
        let text = self.browser.run("return document.body.innerText", vec![]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until this is written within what a selector finds.
    pub async fn shows(&self, selector: &str, text: &str) {
        let script = "return [...document.querySelectorAll(arguments[0])].some((element) => element.innerText.replace(/\\s+/g, ' ').includes(arguments[1]))";
        self.until(&format!("{selector} does not show {text:?}"), script, vec![json!(selector), json!(text)])
            .await;
    }

    /// Waits until the address is this behind the `#`.
    pub async fn stands_at(&self, path: &str) {
        let script = "return location.hash === `#${arguments[0]}`";
        self.until(&format!("the address is not {path}"), script, vec![json!(path)]).await;
    }

    /// Waits for the element that a selector finds.
    pub async fn element(&self, selector: &str) -> Element {
        let script = "return document.querySelector(arguments[0]) !== null";
        self.until(&format!("there is no {selector}"), script, vec![json!(selector)]).await;
        self.browser.driver.find(Locator::Css(selector)).await.unwrap()
    }

    /// Presses what has this name: a button, a link, a choice.
    pub async fn press(&self, name: &str) {
        self.press_in(name, None).await;
    }

    /// The same, within what a selector finds.
    pub async fn press_in(&self, name: &str, within: Option<&str>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.find("press", name, within).await;
            let reference = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
            let element = Element::from_element_id(self.browser.driver.clone(), reference.into());
            match element.click().await {
                Ok(()) => return,
                // The page has made it anew, or something moves over it.
                Err(error) => assert!(Instant::now() < deadline, "{name:?} can't be pressed: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Types into the field of this name, in place of what stands there.
    pub async fn fill(&self, name: &str, text: &str) {
        self.focus(name).await;
        self.keys(Key::Control + "a").await;
        self.keys(text).await;
    }

    /// Pastes into the field of this name, in place of what stands there.
    pub async fn paste(&self, name: &str, text: &str) {
        self.focus(name).await;
        self.keys(Key::Control + "a").await;
        self.browser.devtools("Input.insertText", json!({"text": text})).await;
    }

    /// Gives the focus to the field of this name.
    pub async fn focus(&self, name: &str) {
        let field = self.find("type", name, None).await;
        self.browser.driver.execute("arguments[0].focus()", vec![field]).await.unwrap();
    }

    /// Types, wherever the focus is. What has it may be drawn anew at that moment, and is then not there any more.
    pub async fn keys(&self, keys: impl Deref<Target = str>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let typed = match self.browser.driver.active_element().await {
                Ok(focused) => focused.send_keys(&keys).await,
                Err(error) => Err(error),
            };
            match typed {
                Err(error) if error.is_stale_element_reference() && Instant::now() < deadline => {}
                typed => return typed.unwrap(),
            }
        }
    }

    /// The element, as scripts are given it.
    async fn find(&self, kind: &str, name: &str, within: Option<&str>) -> Value {
        let arguments = vec![json!(kind), json!(name), json!(within)];
        let what = format!("there is nothing named {name:?} to {kind}");
        self.until(
            &what,
            &format!("return (function () {{ {FIND} }})(...arguments) !== null"),
            arguments.clone(),
        )
        .await;
        self.browser.driver.execute(FIND, arguments).await.unwrap()
    }

    /// Takes a picture, for people to look at.
    pub async fn picture(&self, folder: &Path, name: &str) {
        std::fs::create_dir_all(folder).unwrap();
        let picture = self.browser.driver.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}
