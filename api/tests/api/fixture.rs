//! One API with a queue and a bucket of its own, and an HTTP client that follows no redirects.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use badlambda_api::Config;
use badlambda_local::{LocalAws, LocalAwsConfig};
use badlambda_shared::aws::queue::{Message, Queue};
use badlambda_shared::aws::store::{Condition, JSON, Store};
use badlambda_shared::aws::{AwsClients, FixedEndpoint};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::limits;
use badlambda_shared::process::config::Environment;
use badlambda_shared::process::shutdown::Shutdown;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::conformance::{ReadResponse, check};

pub(crate) struct Api {
    pub(crate) url: String,
    pub(crate) store: Store,
    pub(crate) queue: Queue,
    pub(crate) shutdown: Shutdown,
    pub(crate) running: JoinHandle<anyhow::Result<()>>,
    /// Settings of another API with the same queue and bucket.
    pub(crate) environment: Vec<(String, String)>,
    client: Client,
    _aws: Aws,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and slug of a problem, all of whose members are checked.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.headers["x-request-id"]);
        assert!(
            problem["title"].is_string() && problem["detail"].as_str().is_some_and(|text| !text.is_empty())
        );
        if self.status == StatusCode::UNPROCESSABLE_ENTITY {
            let errors = problem["errors"].as_array().unwrap();
            let names_a_part = |error: &Value| {
                ["pointer", "parameter", "header"].iter().filter(|part| error[**part].is_string()).count()
                    == 1
            };
            assert!(!errors.is_empty() && errors.iter().all(names_a_part), "{problem}");
            assert!(errors.iter().all(|error| error["detail"].is_string()), "{problem}");
        }
        (self.status.as_u16(), problem["type"].as_str().unwrap().to_owned())
    }
}

impl Api {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let aws = Aws::start().await;
        let own = [
            ("BADLAMBDA_QUEUE_URL", aws.local.queue_url.as_str()),
            ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", &aws.local.dead_letter_queue_url),
            ("BADLAMBDA_BUCKET", &aws.local.bucket),
            ("BADLAMBDA_S3_PATH_STYLE", "true"),
        ];
        let environment = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = environment.chain(aws.environment()).collect();
        let pairs = own.iter().chain(settings).map(|(name, value)| ((*name).into(), (*value).into()));
        let config = Config::from_environment(&Environment::from_pairs(pairs).unwrap()).unwrap();
        let clients = AwsClients::fixed(aws.fixed());
        let (store, queue) = (Store::new(&clients, &config.shared), Queue::new(&clients, &config.shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = Shutdown::default();
        let running = tokio::spawn(badlambda_api::run(config, clients, listener, shutdown.clone()));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, store, queue, shutdown, running, environment, client, _aws: aws }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Creates the function `hello`.
    pub(crate) async fn create_hello(&self) {
        let created = self.post("/v1/functions", json!({ "name": "hello", "code": "event" })).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    }

    /// Submits `hello`, and answers the execution.
    pub(crate) async fn submit_hello(&self) -> Value {
        let accepted = self.post("/v1/functions/hello/executions", json!({ "name": "Ada" })).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
        accepted.json()
    }

    /// Writes a record of `hello` as a worker would, made of `execution` and `changes`.
    pub(crate) async fn write_record(&self, execution: &Value, changes: Value) {
        let mut record = execution.clone();
        record.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let id = record["id"].as_str().unwrap().parse().unwrap();
        let key = self.store.keys().record(&"hello".parse().unwrap(), &id);
        let bytes = serde_json::to_vec(&record).unwrap();
        self.store.put(&key, bytes, JSON, Condition::Always).await.unwrap();
    }

    /// Whether an execution of `hello` has a record.
    pub(crate) async fn has_record(&self, id: &ExecutionId) -> bool {
        let key = self.store.keys().record(&"hello".parse().unwrap(), id);
        self.store.get(&key, limits::MAX_RECORD_BYTES).await.unwrap().is_some()
    }

    /// The bodies of the messages in the queue, once `expected` of them have come.
    pub(crate) async fn messages(&self, expected: usize) -> Vec<Value> {
        let received = self.received(expected).await;
        received.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }

    /// Everything that waits in the queue, until `expected` messages have come.
    pub(crate) async fn received(&self, expected: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        let receive = async {
            while messages.len() < expected {
                let more = self.queue.receive(10, limits::SQS_WAIT, Duration::from_secs(600)).await.unwrap();
                messages.extend(more);
            }
        };
        tokio::time::timeout(Duration::from_secs(20), receive).await.expect("messages are missing");
        messages
    }
}

/// Sends it, and panics where the OpenAPI document does not allow the response.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    read(request, true).await
}

/// The answer about something that the OpenAPI document does not describe: files.
pub(crate) async fn send_unchecked(request: RequestBuilder) -> Answer {
    read(request, false).await
}

async fn read(request: RequestBuilder, is_described: bool) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let (status, all_headers) = (response.status(), response.headers().clone());
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in response.headers() {
        // Clients join what comes twice.
        let joined = headers.entry(name.to_string()).or_default();
        joined.push_str(if joined.is_empty() { "" } else { ", " });
        joined.push_str(value.to_str().unwrap());
    }
    let text = response.text().await.unwrap();
    if is_described {
        let body = Some(text.as_bytes());
        check(&ReadResponse { method: &method, path: &path, status, headers: &all_headers, body });
    }
    Answer { status, headers, text }
}

/// The embedded SQS and S3, with a folder of their own.
struct Aws {
    local: LocalAws,
    _data: TempDir,
}

impl Aws {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = LocalAwsConfig::new(listen, data.path().to_owned());
        Self { local: badlambda_local::start(config).await.unwrap(), _data: data }
    }

    /// How the SDK finds them.
    fn environment(&self) -> [(String, String); 4] {
        let local = &self.local;
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", local.address)),
            ("AWS_ACCESS_KEY_ID", local.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", local.secret_access_key.clone()),
            ("AWS_REGION", local.region.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }

    fn fixed(&self) -> FixedEndpoint {
        FixedEndpoint {
            endpoint: format!("http://{}", self.local.address),
            access_key_id: self.local.access_key_id.clone(),
            secret_access_key: self.local.secret_access_key.clone(),
            region: self.local.region.clone(),
        }
    }
}
