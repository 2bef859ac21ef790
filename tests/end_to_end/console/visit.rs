//! What must not happen while somebody uses the console: a logged error, a forbidden thing, a request elsewhere.

use serde_json::{Value, json};

use super::browser::OfChrome;
use super::page::Page;

/// An answer that a story expects, and that Chromium logs as an error: what the line says of it, and of its address.
pub type Refusal<'a> = (&'a str, &'a str);

impl Page {
    /// What the browser has said since it was asked last: errors, and what its policies forbade.
    pub async fn log(&self) -> Vec<String> {
        let command = OfChrome { path: "se/log", body: json!({ "type": "browser" }) };
        let log = self.browser.driver.issue_cmd(command).await.unwrap();
        let line = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(line).collect()
    }

    /// Ends the visit. Nothing was logged, and nobody but the API was asked for anything.
    pub async fn close(self) {
        self.close_after(&[]).await;
    }

    /// The same after answers that are errors. Each of them came, and no others.
    pub async fn close_after(self, refusals: &[Refusal<'_>]) {
        let log = self.log().await;
        let script = "return performance.getEntriesByType('resource').map((entry) => entry.name)";
        let asked = self.browser.run(script, vec![]).await;
        let is_elsewhere = |url: &&Value| {
            !url.as_str().is_some_and(|url| url.starts_with(&self.origin) || url.starts_with("data:"))
        };
        let elsewhere: Vec<&Value> = asked.as_array().unwrap().iter().filter(is_elsewhere).collect();
        let is = |line: &str, (what, place): &Refusal<'_>| {
            line.contains("Failed to load resource") && line.contains(what) && line.contains(place)
        };
        let other: Vec<&String> =
            log.iter().filter(|line| !refusals.iter().any(|refusal| is(line, refusal))).collect();
        let missing: Vec<&Refusal<'_>> =
            refusals.iter().filter(|refusal| !log.iter().any(|line| is(line, refusal))).collect();
        assert!(other.is_empty(), "{other:#?}");
        assert!(missing.is_empty(), "these did not come: {missing:?}");
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
        self.browser.close().await;
    }
}
