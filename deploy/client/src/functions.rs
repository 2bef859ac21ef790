//! Functions.

use badlambda_shared::function::Function;
use badlambda_shared::function::name::FunctionName;
use reqwest::Method;
use reqwest::header::{ETAG, IF_MATCH};
use serde::Serialize;
use serde_json::Value;

use crate::code::Code;
use crate::error::Error;
use crate::page::{Page, PageRange, with};
use crate::request::Client;

/// What a function is to be made of.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionContent<'a> {
    /// Its code.
    #[serde(flatten)]
    pub code: &'a Code,
    /// The fields of its `FunctionConfig` that are not to be the default. They are checked by the API alone, which may know
    /// more of them than this client does.
    pub config: &'a Value,
}

/// Something, with the entity tag that tells whether it has changed since.
#[derive(Clone, Debug)]
pub struct Entity<T> {
    /// The thing itself.
    pub value: T,
    /// Its entity tag, with its quotes.
    pub entity_tag: Option<String>,
}

impl Client {
    /// Creates a function, or tells what it would be (`dry_run`).
    ///
    /// # Errors
    /// Among others `name_taken`, and `syntax_error` with line and column.
    pub async fn create_function(
        &self,
        name: &FunctionName,
        content: &FunctionContent<'_>,
        dry_run: bool,
    ) -> Result<Function, Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            name: &'a FunctionName,
            #[serde(flatten)]
            content: &'a FunctionContent<'a>,
        }
        let request = self.to(Method::POST, &["v1", "functions"]).json(&Named { name, content });
        self.upload(with(request, "dry_run", dry_run.then_some(true))).await
    }

    /// Creates a function or publishes its next version, where it is as it was (`entity_tag`), or whatever it is.
    ///
    /// # Errors
    /// Among others `precondition_failed`, and `syntax_error` with line and column.
    pub async fn put_function(
        &self,
        name: &FunctionName,
        content: &FunctionContent<'_>,
        entity_tag: Option<&str>,
        dry_run: bool,
    ) -> Result<Function, Error> {
        let request = self.to(Method::PUT, &["v1", "functions", name.as_str()]).json(content);
        let request = with(request, "dry_run", dry_run.then_some(true));
        self.upload(match entity_tag {
            Some(entity_tag) => request.header(IF_MATCH, entity_tag),
            None => request,
        })
        .await
    }

    /// A page of all functions.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn list_functions(&self, range: &PageRange) -> Result<Page<Function>, Error> {
        self.read(range.of(self.to(Method::GET, &["v1", "functions"]))).await
    }

    /// A function, with its latest version's config.
    ///
    /// # Errors
    /// Among others `function_not_found`.
    pub async fn get_function(&self, name: &FunctionName) -> Result<Entity<Function>, Error> {
        let answer = self.ask(self.to(Method::GET, &["v1", "functions", name.as_str()])).await?;
        let entity_tag = answer.header(ETAG.as_str()).map(str::to_owned);
        Ok(Entity { value: answer.json().await?, entity_tag })
    }

    /// Deletes a function with all its versions.
    ///
    /// # Errors
    /// Among others `function_not_found`.
    pub async fn delete_function(&self, name: &FunctionName) -> Result<(), Error> {
        self.ask(self.to(Method::DELETE, &["v1", "functions", name.as_str()])).await.map(drop)
    }
}
