//! Executions.

use std::time::Duration;

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::{Execution, ListedExecution};
use badlambda_shared::function::name::{FunctionName, VersionRef};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::page::{Page, PageRange, with};
use crate::request::{Answer, Client};

/// How an input is submitted.
#[derive(Clone, Debug, Default)]
pub struct Submit {
    /// Which version is executed; without one, the latest.
    pub version: Option<VersionRef>,
    /// For how long it is kept from every worker; whole seconds count.
    pub delay: Option<Duration>,
    /// What makes a repeated request the same execution.
    pub idempotency_key: Option<String>,
    /// How long the answer is held back for the end of the execution; whole seconds count.
    pub wait: Option<Duration>,
}

/// Code that is executed once, without a function.
#[derive(Clone, Debug, Serialize)]
pub struct OneShot<'a> {
    /// Ruby code.
    pub code: &'a str,
    /// What it is given; without, null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<&'a RawValue>,
    /// The fields of its `FunctionConfig` that are not to be the default.
    pub config: &'a Value,
}

/// Which executions are listed. Each field is as the API takes it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExecutionFilter {
    /// Those that stand like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Those whose error is of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Those of this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Those that ended at this time or later: RFC 3339, or `15m`, `2h`, `7d` ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Those that ended before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Client {
    /// Submits an input, which is JSON, and waits for the execution's end for as long as is asked.
    ///
    /// # Errors
    /// Among others `function_not_found` and `version_not_found`.
    pub async fn execute_function(
        &self,
        function: &FunctionName,
        input: String,
        submit: &Submit,
    ) -> Result<Execution, Error> {
        let request = self.to(Method::POST, &["v1", "functions", function.as_str(), "executions"]);
        let request = with(request, "version", submit.version.as_ref().map(VersionRef::to_string));
        let request = request.header(CONTENT_TYPE, "application/json").body(input);
        self.read(submitted(request, submit)).await
    }

    /// Executes code once, and waits for its end for as long as is asked. The `version` of `submit` has no meaning here.
    ///
    /// # Errors
    /// Among others `syntax_error` with line and column.
    pub async fn run_once(&self, one_shot: &OneShot<'_>, submit: &Submit) -> Result<Execution, Error> {
        let request = self.to(Method::POST, &["v1", "run"]).json(one_shot);
        self.read(submitted(request, submit)).await
    }

    /// An execution as it stands, at its end or after `wait`, of which whole seconds count.
    ///
    /// # Errors
    /// Among others `execution_not_found`.
    pub async fn get_execution(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
        wait: Option<Duration>,
    ) -> Result<Execution, Error> {
        self.read(waiting(self.to(Method::GET, &execution(function, id, &[])), wait)).await
    }

    /// A page of the executions of all functions, the newest first.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn list_executions(
        &self,
        filter: &ExecutionFilter,
        range: &PageRange,
    ) -> Result<Page<ListedExecution>, Error> {
        self.read(range.of(self.to(Method::GET, &["v1", "executions"]).query(filter))).await
    }

    /// A page of a function's executions, the newest first.
    ///
    /// # Errors
    /// Among others `function_not_found`.
    pub async fn list_function_executions(
        &self,
        function: &FunctionName,
        filter: &ExecutionFilter,
        range: &PageRange,
    ) -> Result<Page<ListedExecution>, Error> {
        let request = self.to(Method::GET, &["v1", "functions", function.as_str(), "executions"]);
        self.read(range.of(request.query(filter))).await
    }

    /// What came in: JSON, as it comes.
    ///
    /// # Errors
    /// Among others `no_input` and `not_started`.
    pub async fn get_execution_input(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
    ) -> Result<Answer, Error> {
        self.ask(self.to(Method::GET, &execution(function, id, &["input"]))).await
    }

    /// The result, whatever its size: JSON, as it comes.
    ///
    /// # Errors
    /// Among others `no_result` and `not_finished`.
    pub async fn get_execution_result(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
    ) -> Result<Answer, Error> {
        self.ask(self.to(Method::GET, &execution(function, id, &["result"]))).await
    }

    /// What it logged, as it comes.
    ///
    /// # Errors
    /// Among others `no_logs` and `not_finished`.
    pub async fn get_execution_logs(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
    ) -> Result<Answer, Error> {
        self.ask(self.to(Method::GET, &execution(function, id, &["logs"]))).await
    }

    /// Cancels an execution, queued or running.
    ///
    /// # Errors
    /// Among others `already_finished`.
    pub async fn cancel_execution(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
    ) -> Result<Execution, Error> {
        self.read(self.to(Method::DELETE, &execution(function, id, &[]))).await
    }

    /// Executes again, with another version or input where one is given. The `delay` of `submit` has no meaning here.
    ///
    /// # Errors
    /// Among others `input_not_kept` and `not_finished`.
    pub async fn replay_execution(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
        input: Option<&RawValue>,
        submit: &Submit,
    ) -> Result<Execution, Error> {
        #[derive(Serialize)]
        struct Replay<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            version: Option<&'a VersionRef>,
            #[serde(skip_serializing_if = "Option::is_none")]
            input: Option<&'a RawValue>,
        }
        let request = self.to(Method::POST, &execution(function, id, &["replay"]));
        let request = request.json(&Replay { version: submit.version.as_ref(), input });
        // It can't be delayed.
        self.read(submitted(request, &Submit { delay: None, ..submit.clone() })).await
    }
}

/// The path of an execution, and of what is below it.
pub(crate) fn execution<'a>(
    function: &'a FunctionName,
    id: &'a ExecutionId,
    below: &[&'a str],
) -> Vec<&'a str> {
    [&["v1", "functions", function.as_str(), "executions", id.as_str()], below].concat()
}

/// The request with all that is asked of a submit, but its version.
fn submitted(request: RequestBuilder, submit: &Submit) -> RequestBuilder {
    let request = with(request, "delay", submit.delay.map(|delay| delay.as_secs()));
    keyed(waiting(request, submit.wait), submit.idempotency_key.as_deref())
}

/// The request with this key, if there is one.
pub(crate) fn keyed(request: RequestBuilder, idempotency_key: Option<&str>) -> RequestBuilder {
    match idempotency_key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    }
}

pub(crate) fn waiting(request: RequestBuilder, wait: Option<Duration>) -> RequestBuilder {
    match wait {
        Some(wait) => request.header("prefer", format!("wait={}", wait.as_secs())),
        None => request,
    }
}
