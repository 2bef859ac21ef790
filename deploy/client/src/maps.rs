//! Maps.

use std::time::Duration;

use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::map::{Map, MapId};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Body, Method};

use crate::error::Error;
use crate::executions::{keyed, waiting};
use crate::lines::Lines;
use crate::page::with;
use crate::request::Client;

/// How a map is submitted.
#[derive(Clone, Debug, Default)]
pub struct SubmitMap {
    /// Which version is run; without one, the latest.
    pub version: Option<VersionRef>,
    /// How many inputs a chunk has; without it, as many as take some seconds.
    pub chunk: Option<u32>,
    /// What makes a repeated request the same map.
    pub idempotency_key: Option<String>,
}

impl Client {
    /// Submits inputs, of which one stands on each line as JSON.
    ///
    /// # Errors
    /// Among others `function_not_found` and `version_not_found`, and `invalid_json` with the line that is none.
    pub async fn create_map(
        &self,
        function: &FunctionName,
        inputs: impl Into<Body>,
        submit: &SubmitMap,
    ) -> Result<Map, Error> {
        let request = self.to(Method::POST, &["v1", "functions", function.as_str(), "maps"]);
        let request = with(request, "version", submit.version.as_ref().map(VersionRef::to_string));
        let request = with(request, "chunk", submit.chunk);
        let request = keyed(request, submit.idempotency_key.as_deref());
        self.upload(request.header(CONTENT_TYPE, "application/x-ndjson").body(inputs)).await
    }

    /// A map as it stands, at its end or after `wait`, of which whole seconds count.
    ///
    /// # Errors
    /// Among others `map_not_found`.
    pub async fn get_map(
        &self,
        function: &FunctionName,
        id: &MapId,
        wait: Option<Duration>,
    ) -> Result<Map, Error> {
        self.read(waiting(self.to(Method::GET, &map(function, id, &[])), wait)).await
    }

    /// What came of the inputs from this index on, a line of JSON each, as far as it is complete.
    ///
    /// # Errors
    /// Among others `map_not_found`.
    pub async fn get_map_results(
        &self,
        function: &FunctionName,
        id: &MapId,
        from: u64,
    ) -> Result<Lines, Error> {
        let request = self.to(Method::GET, &map(function, id, &["results"]));
        let from = (from > 0).then_some(from);
        Ok(Lines::of(self.ask(with(request, "from", from)).await?))
    }

    /// Cancels a map.
    ///
    /// # Errors
    /// Among others `already_finished`.
    pub async fn cancel_map(&self, function: &FunctionName, id: &MapId) -> Result<Map, Error> {
        self.read(self.to(Method::DELETE, &map(function, id, &[]))).await
    }
}

/// The path of a map, and of what is below it.
fn map<'a>(function: &'a FunctionName, id: &'a MapId, below: &[&'a str]) -> Vec<&'a str> {
    [&["v1", "functions", function.as_str(), "maps", id.as_str()], below].concat()
}
