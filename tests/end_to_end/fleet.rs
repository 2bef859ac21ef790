//! The one fixture: a fleet of its own for every test, on fresh ports, with a fresh queue and bucket.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::MessageAttributeValue;
use badlambda_tests::addresses::{clients, free_address, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::elsewhere;
use crate::programs::built;

/// Far more than anything here takes; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of the programs under test, which are those of the present sources.
pub fn programs() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built(&["--workspace", "--bins"])).clone()
}

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A program with a clean environment of its own.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("BADLAMBDA_LOG", "warn");
    command
}

/// A process that ends with the test.
pub struct Process {
    pub child: Child,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Process {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { child, stdout }
    }

    /// The first line on stdout, as JSON.
    pub fn first_line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits for the end, and returns the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("a process did not end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_some() {
            return;
        }
        // After a failure, what it was about matters more than an orderly end.
        let failed = std::thread::panicking();
        self.signal(if failed { Signal::SIGKILL } else { Signal::SIGTERM });
        self.wait();
    }
}

/// A running system, and clients of it.
pub struct Fleet {
    pub process: Process,
    pub addresses: Value,
    pub http: reqwest::Client,
    pub sqs: aws_sdk_sqs::Client,
    /// Where it is not one process that is everything.
    _worker: Option<Process>,
    _data: Option<TempDir>,
}

impl Fleet {
    /// `badlambda up` with data of its own.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with more environment.
    pub async fn start_with(environment: &[(&str, &str)]) -> Self {
        if let Some(url) = elsewhere::url() {
            return Self::start_on(&url, environment).await;
        }
        let data = TempDir::new().unwrap();
        let mut fleet = Self::over(data.path(), environment).await;
        fleet._data = Some(data);
        fleet
    }

    /// An api and a worker on another SQS and S3.
    async fn start_on(url: &str, environment: &[(&str, &str)]) -> Self {
        let mut addresses = elsewhere::addresses(url).await;
        let start = |name: &str, address: &str| {
            let mut command = elsewhere::configured(name, &addresses);
            command.env("BADLAMBDA_LISTEN", address).env("BADLAMBDA_SLOTS", "4");
            command.envs(environment.iter().copied());
            Process::start(command)
        };
        let address = free_address().unwrap();
        let (api, worker) = (start("badlambda-api", &address), start("badlambda-worker", "127.0.0.1:0"));
        addresses["api"] = json!(format!("http://{address}"));
        let mut fleet = Self::of(api, addresses);
        fleet._worker = Some(worker);
        fleet.is_ready(fleet.address("api"), 200).await;
        fleet
    }

    /// Waits until the readiness of what answers at `url` has this status.
    pub async fn is_ready(&self, url: &str, status: u16) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.http.get(format!("{url}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status() == status) {
                return;
            }
            assert!(Instant::now() < deadline, "the readiness of {url} is not {status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `badlambda up` over `data`.
    pub async fn over(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::logging_to(Stdio::inherit(), data, environment).await
    }

    /// The same with its log elsewhere.
    pub async fn logging_to(log: Stdio, data: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = program("badlambda");
        let data_dir = data.join("data");
        command.args(["up", "--listen", "127.0.0.1:0", "--slots", "4", "--data"]);
        command.arg(data_dir).envs(environment.iter().copied()).stderr(log);
        let mut process = Process::start(command);
        let addresses = process.first_line();
        Self::of(process, addresses)
    }

    /// Clients of whatever serves at `addresses`.
    pub fn of(process: Process, addresses: Value) -> Self {
        let sqs = aws_sdk_sqs::Client::new(clients(&addresses).sdk());
        let no_redirects = reqwest::redirect::Policy::none();
        let http =
            reqwest::Client::builder().no_proxy().redirect(no_redirects).timeout(PATIENCE).build().unwrap();
        Self { process, addresses, http, sqs, _worker: None, _data: None }
    }

    pub fn address(&self, name: &str) -> &str {
        text(&self.addresses, name)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address("api")))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Creates a function that must be accepted.
    pub async fn create(&self, name: &str, code: &str, config: Value) -> Value {
        let body = json!({"name": name, "code": code, "config": config});
        let answer = self.request(Method::POST, "/v1/functions").json(&body).send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 201, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Submits an input, which must be accepted; returns where to poll.
    pub async fn submit(&self, name: &str, input: &Value) -> String {
        let path = format!("/v1/functions/{name}/executions");
        let answer = self.request(Method::POST, &path).json(input).send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 202, "{body}");
        let accepted: Value = serde_json::from_str(&body).unwrap();
        accepted["url"].as_str().unwrap().to_owned()
    }

    /// Submits an input, which must be accepted, and waits for the final record.
    pub async fn execute(&self, name: &str, input: &Value) -> Value {
        self.finished(&self.submit(name, input).await).await
    }

    /// Polls an execution until it is final, though it may not be known yet.
    pub async fn finished(&self, path: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let answer = self.request(Method::GET, path).header("prefer", "wait=5").send().await.unwrap();
            if answer.status() == 404 {
                continue;
            }
            assert_eq!(answer.status(), 200);
            let execution: Value = answer.json().await.unwrap();
            if ["succeeded", "failed", "cancelled"].contains(&execution["status"].as_str().unwrap()) {
                return execution;
            }
        }
        panic!("{path} did not finish");
    }

    /// Sends a message as another system does; returns its MessageId.
    pub async fn send(&self, body: &str, function: Option<&str>) -> String {
        let attribute =
            |value| MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap();
        let send = self.sqs.send_message().queue_url(self.address("queue_url")).message_body(body);
        let send = send
            .set_message_attributes(function.map(|value| [("function".to_owned(), attribute(value))].into()));
        send.send().await.unwrap().message_id.unwrap()
    }

    /// The next message of the dead-letter queue: its body and the reason.
    pub async fn dead_letter(&self) -> (String, String) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let receive = self.sqs.receive_message().queue_url(self.address("dead_letter_queue_url"));
            let received = receive.wait_time_seconds(5).message_attribute_names("All").send().await.unwrap();
            if let Some(message) = received.messages().first() {
                let reason =
                    message.message_attributes().and_then(|all| all.get("badlambda_reason")?.string_value());
                let deleted = self.sqs.delete_message().queue_url(self.address("dead_letter_queue_url"));
                deleted.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
                return (message.body().unwrap().to_owned(), reason.unwrap_or_default().to_owned());
            }
        }
        panic!("nothing was dead-lettered");
    }

    /// Waits until the queue holds nothing, visible or not.
    pub async fn queue_is_empty(&self) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let attributes = self.sqs.get_queue_attributes().queue_url(self.address("queue_url"));
            let all = aws_sdk_sqs::types::QueueAttributeName::All;
            let attributes = attributes.attribute_names(all).send().await.unwrap().attributes.unwrap();
            if attributes
                .iter()
                .filter(|(name, _)| name.as_str().starts_with("ApproximateNumber"))
                .all(|(_, n)| n == "0")
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the queue is not empty");
    }
}
