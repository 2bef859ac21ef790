//! A real Chromium, driven by its own driver.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{ParseError, Url};

/// Each takes half a gigabyte, and most of a core where it does not wait for a fleet.
static BROWSERS: std::sync::LazyLock<Arc<Semaphore>> =
    std::sync::LazyLock::new(|| Arc::new(Semaphore::new(3)));

/// A browser with a profile of its own; it ends with this.
pub struct Browser {
    pub driver: Client,
    chromedriver: Child,
    _profile: TempDir,
    _turn: OwnedSemaphorePermit,
}

impl Browser {
    pub async fn start() -> Self {
        let turn = Arc::clone(&BROWSERS).acquire_owned().await.unwrap();
        let profile = TempDir::new().unwrap();
        let mut chromedriver = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver is missing: Debian's package is chromium-driver");
        let port = port(&mut chromedriver);
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let capabilities = json!({
            "goog:chromeOptions": { "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", profile_argument,
            ] },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities = capabilities.as_object().unwrap().clone();
        let address = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let driver = builder.capabilities(capabilities).connect(&address).await.unwrap();
        Self { driver, chromedriver, _profile: profile, _turn: turn }
    }

    /// A call of the DevTools protocol that the driver has no name for.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": method, "params": parameters });
        self.driver.issue_cmd(OfChrome { path: "goog/cdp/execute", body }).await.unwrap()
    }

    /// As if the window had this size in CSS pixels, at a zoom of 1 or 2.
    pub async fn resize(&self, width: u32, height: u32, zoom: u32) {
        let metrics = json!({
            "width": width / zoom, "height": height / zoom, "deviceScaleFactor": zoom, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// As if the system had this theme: `light` or `dark`.
    pub async fn use_theme(&self, theme: &str) {
        self.prefer("color-scheme", theme).await;
    }

    /// As if the system preferred this: `color-scheme` `dark`, `reduced-motion` `reduce`.
    pub async fn prefer(&self, what: &str, value: &str) {
        let features = json!({"features": [{"name": format!("prefers-{what}"), "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Has each page that is opened from now on begin with this script.
    pub async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await;
    }

    /// Has each request take so long at least, in milliseconds.
    pub async fn slow_down(&self, latency: u32) {
        self.network(false, latency).await;
    }

    /// As if the network was gone, or there again.
    pub async fn go_offline(&self, is_offline: bool) {
        self.network(is_offline, 0).await;
    }

    async fn network(&self, is_offline: bool, latency: u32) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({
            "offline": is_offline, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// What a script that is the body of an async function returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let script = format!("return (async () => {{ {script} }})()");
        self.driver.execute(&script, arguments).await.unwrap()
    }

    pub async fn close(self) {
        self.driver.clone().close().await.unwrap();
    }
}

/// A test that failed leaves no process behind: Chromium is in the group of its driver.
impl Drop for Browser {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.chromedriver.id() as i32), Signal::SIGKILL);
        let _ = self.chromedriver.wait();
    }
}

/// A command that only Chrome's driver has.
#[derive(Debug)]
pub struct OfChrome {
    pub path: &'static str,
    pub body: Value,
}

impl WebDriverCompatibleCommand for OfChrome {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// It says on which port it listens.
fn port(chromedriver: &mut Child) -> u16 {
    let mut lines = BufReader::new(chromedriver.stdout.take().unwrap()).lines();
    let said = lines.find_map(|line| {
        let line = line.ok()?;
        line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok()
    });
    // What it says later goes nowhere, but must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    said.expect("chromedriver did not say its port")
}
