//! A client of the API, as any other.

use anyhow::{Context, bail};
use badlambda_shared::execution::Execution;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

const WAIT: &str = "wait=20";

/// A client of one API.
pub struct Client {
    http: reqwest::Client,
    api: String,
}

/// What became of creating a function.
pub enum Created {
    /// It exists.
    Yes,
    /// The API refused it, and says why.
    Refused(String),
}

impl Client {
    /// A client of the API at `api`.
    pub fn new(api: String) -> anyhow::Result<Self> {
        Ok(Self { http: reqwest::Client::builder().no_proxy().build()?, api })
    }

    /// Creates a function.
    pub async fn create(&self, name: &str, code: &str, config: &Value) -> anyhow::Result<Created> {
        let body = serde_json::json!({"name": name, "code": code, "config": config});
        let answer = send(self.http.post(format!("{}/v1/functions", self.api)).json(&body)).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(Created::Yes),
            status if status.is_client_error() => Ok(Created::Refused(problem(answer).await)),
            status => bail!("the API answered {status}: {}", problem(answer).await),
        }
    }

    /// Submits an input, and polls until the execution is final.
    pub async fn execute(&self, name: &str, input: String) -> anyhow::Result<Execution> {
        let submit = self.http.post(format!("{}/v1/functions/{name}/executions", self.api));
        let submit = submit.header("content-type", "application/json").header("prefer", WAIT).body(input);
        let mut execution = read(send(submit).await?).await?;
        while !execution.status.is_final() {
            let poll = self.http.get(format!("{}{}", self.api, execution.url)).header("prefer", WAIT);
            execution = read(send(poll).await?).await?;
        }
        Ok(execution)
    }

    /// Reads what a presigned URL names.
    pub async fn fetch(&self, url: &str) -> anyhow::Result<String> {
        Ok(send(self.http.get(url)).await?.error_for_status()?.text().await?)
    }
}

async fn send(request: RequestBuilder) -> anyhow::Result<Response> {
    request.send().await.context("the system does not answer")
}

async fn read(answer: Response) -> anyhow::Result<Execution> {
    if !answer.status().is_success() {
        bail!("the API answered {}: {}", answer.status(), problem(answer).await);
    }
    let bytes = answer.bytes().await?;
    serde_json::from_slice(&bytes).context("the API answered with something that is no execution")
}

/// What a problem says to a person.
async fn problem(answer: Response) -> String {
    let text = answer.text().await.unwrap_or_default();
    let parsed: Option<Value> = serde_json::from_str(&text).ok();
    let detail = parsed.as_ref().and_then(|problem| problem.get("detail")?.as_str());
    detail.unwrap_or(&text).to_owned()
}
