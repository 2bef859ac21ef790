//! Versions and aliases.

use badlambda_shared::function::name::{Alias, FunctionName, VersionRef};
use badlambda_shared::function::{Function, Version};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::code::Code;
use crate::error::Error;
use crate::page::{Page, PageRange};
use crate::request::Client;

impl Client {
    /// A page of a function's versions, the newest first.
    ///
    /// # Errors
    /// Among others `function_not_found`.
    pub async fn list_versions(
        &self,
        function: &FunctionName,
        range: &PageRange,
    ) -> Result<Page<Version>, Error> {
        let segments = ["v1", "functions", function.as_str(), "versions"];
        self.read(range.of(self.to(Method::GET, &segments))).await
    }

    /// A version with its config.
    ///
    /// # Errors
    /// Among others `version_not_found`.
    pub async fn get_version(&self, function: &FunctionName, version: &VersionRef) -> Result<Version, Error> {
        let version = version.to_string();
        self.read(self.to(Method::GET, &["v1", "functions", function.as_str(), "versions", &version])).await
    }

    /// The code of a version. The API answers with a Ruby file, and sends elsewhere for a zip.
    ///
    /// # Errors
    /// Among others `version_not_found`.
    pub async fn get_version_code(
        &self,
        function: &FunctionName,
        version: &VersionRef,
    ) -> Result<Code, Error> {
        let version = version.to_string();
        let segments = ["v1", "functions", function.as_str(), "versions", &version, "code"];
        let answer = self.ask(self.to(Method::GET, &segments)).await?;
        let is_zip = answer.header(CONTENT_TYPE.as_str()) == Some("application/zip");
        let bytes = answer.bytes().await?;
        Ok(match is_zip {
            true => Code::Zip(bytes),
            // The API takes no other Ruby.
            false => Code::Ruby(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    /// Points an alias at a version. `weights` gives shares of its executions, from 0 to 1, to other versions, by their
    /// numbers.
    ///
    /// # Errors
    /// Among others `version_not_found`, and `invalid_field` where the shares can't be.
    pub async fn put_alias(
        &self,
        function: &FunctionName,
        alias: &Alias,
        version: u32,
        weights: &Value,
    ) -> Result<Function, Error> {
        let segments = ["v1", "functions", function.as_str(), "aliases", alias.as_str()];
        let body = json!({"version": version, "weights": weights});
        self.read(self.to(Method::PUT, &segments).json(&body)).await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// Among others `alias_not_found`.
    pub async fn delete_alias(&self, function: &FunctionName, alias: &Alias) -> Result<(), Error> {
        let segments = ["v1", "functions", function.as_str(), "aliases", alias.as_str()];
        self.ask(self.to(Method::DELETE, &segments)).await.map(drop)
    }
}
