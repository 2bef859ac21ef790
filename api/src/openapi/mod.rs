//! The API's OpenAPI 3.1 document, put together from what stands beside each handler and each type.
//!
//! Anybody may have it, without a token: it says nothing that the sources do not, and tools look for it before they know
//! of tokens. What holds for every operation is added here, and no handler repeats it:
//! - `schemas` closes what responses hold, so that a field that is not documented is found, and gives `config` its limits.
//! - `problems` adds the errors that come from what stands around the handlers.
//! - `headers` describes each header of a response once.

use std::collections::HashSet;
use std::sync::LazyLock;

use axum::http::Method;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem, PathsMap};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi as Api, RefOr, SecurityRequirement, Server, Tag};

use crate::dead_letters::{bulk, one, routes as dead_letters};
use crate::executions::{batch, cancel, events, list, poll, replay, results, run, submit};
use crate::functions::{routes as functions, versions};
use crate::health;
use crate::http::conditions::Conditions;
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};
use crate::maps;
use crate::schema::parameters::IfNoneMatchHeader;
use crate::stats;
use crate::tokens;

mod headers;
mod problems;
mod schemas;

/// The scheme of the tokens.
const BEARER: &str = "token";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bad Lambda",
        description = "Takes Ruby functions in, executes them on a queue, and tells what became of each execution.",
    ),
    servers((url = "/")),
    tags(
        (name = "functions", description = "Named Ruby code."),
        (name = "executions", description = "Runs of a version of a function on an input."),
        (name = "versions", description = "Immutable versions of functions, and the aliases that point at them."),
        (name = "maps", description = "One function over many inputs."),
        (name = "dead letters", description = "Messages that were given up, with the reason."),
        (name = "stats", description = "How things stand."),
        (name = "tokens", description = "What a request's token may be used for."),
        (name = "probes", description = "Whether the API is there, and what it can do."),
    ),
    security(("token" = [])),
    // In this order they stand in the document.
    paths(
        functions::create,
        submit::submit,
        poll::poll,
        functions::list,
        functions::put,
        functions::get,
        functions::delete,
        versions::put_alias,
        versions::delete_alias,
        versions::list,
        versions::get,
        versions::code,
        versions::delete,
        batch::batch,
        run::run,
        replay::replay,
        results::input,
        results::result,
        results::logs,
        events::events,
        cancel::cancel,
        list::of_function,
        list::all,
        maps::create::create,
        maps::show::show,
        maps::results::results,
        maps::cancel::cancel,
        maps::list::list,
        stats::of_fleet,
        stats::of_function,
        dead_letters::list,
        dead_letters::get,
        one::redrive,
        one::delete,
        bulk::redrive,
        bulk::delete,
        tokens::show::show,
        health::live,
        health::ready,
        health::metrics,
        get,
    ),
    components(schemas(
        badlambda_shared::dead_letters::DeadLetterLine,
        badlambda_shared::execution::ErrorKind,
        badlambda_shared::execution::id::ExecutionId,
        badlambda_shared::map::MapId,
        badlambda_shared::map::MapItem,
        badlambda_shared::function::name::Alias,
        badlambda_shared::function::name::FunctionName,
        badlambda_shared::function::name::VersionRef,
    )),
)]
struct Described;

/// The document, as it is served.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) json: String,
    /// With its quotes.
    pub(crate) entity_tag: String,
}

/// It is the same for as long as the program runs.
pub(crate) static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let json = serde_json::to_string(&InOrder::of(&described())).unwrap_or_default();
    let entity_tag = format!("\"{}\"", hex::encode(&Sha256::digest(&json)[..16]));
    Document { json, entity_tag }
});

/// Calls that take nothing in their query: each with its method and its path.
static WITHOUT_QUERY: LazyLock<HashSet<(Method, String)>> = LazyLock::new(|| {
    let without = Described::openapi().paths.paths.into_iter().flat_map(|(path, item)| {
        let PathItem { get, post, put, delete, .. } = item;
        let operations =
            [(Method::GET, get), (Method::POST, post), (Method::PUT, put), (Method::DELETE, delete)];
        let without = operations
            .into_iter()
            .filter(|(_, operation)| operation.as_ref().is_some_and(|operation| !has_query(operation)));
        without.map(|(method, _)| (method, path.clone())).collect::<Vec<_>>()
    });
    without.collect()
});

fn has_query(operation: &Operation) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.into_iter().any(
        |parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query),
    )
}

/// Whether this call is documented, and takes nothing in its query.
pub(crate) fn takes_no_query(method: &Method, path: &str) -> bool {
    WITHOUT_QUERY.contains(&(method.clone(), path.to_owned()))
}

/// Show this document.
///
/// It needs no token.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "GetOpenApi", tag = "probes", security(()),
    params(IfNoneMatchHeader),
    responses(
        (status = 200, description = "An OpenAPI 3.1 document.", body = serde_json::Map<String, serde_json::Value>,
            content_type = "application/json", headers(("ETag"))),
        (status = 304, description = "It is the one that `If-None-Match` names.", headers(("ETag"))),
    ),
)]
pub(crate) async fn get(conditions: Conditions) -> ApiResult {
    if conditions.knows(&DOCUMENT.entity_tag) {
        return Ok(ApiResponse::NotModified(DOCUMENT.entity_tag.clone()));
    }
    Ok(ApiResponse::Document(&DOCUMENT))
}

fn described() -> Api {
    let mut api = Described::openapi();
    let components = api.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.security_schemes.insert(BEARER.to_owned(), bearer.into());
    schemas::complete(components);
    problems::describe(components, ApiError::KINDS);
    headers::describe(components);
    for (path, item) in &mut api.paths.paths {
        let operations = [&mut item.post, &mut item.put, &mut item.get, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                schemas::leave_out_null(body);
            }
            schemas::describe_lines(operation);
            problems::add_to(operation, path);
            headers::add_to(operation);
        }
    }
    api
}

/// The document with its paths as they are listed above, and in each of them what changes something first: so
/// `CreateFunction` is the first operation, and `ExecuteFunction` the first of the second path.
#[derive(Serialize)]
struct InOrder<'a> {
    openapi: &'static str,
    info: &'a Info,
    servers: &'a Option<Vec<Server>>,
    tags: &'a Option<Vec<Tag>>,
    security: &'a Option<Vec<SecurityRequirement>>,
    paths: Paths<'a>,
    components: &'a Option<Components>,
}

impl<'a> InOrder<'a> {
    fn of(api: &'a Api) -> Self {
        let Api { info, servers, tags, security, components, .. } = api;
        Self { openapi: "3.1.0", info, servers, tags, security, paths: Paths(&api.paths.paths), components }
    }
}

struct Paths<'a>(&'a PathsMap<String, PathItem>);

impl Serialize for Paths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(path, item)| (path, Operations(item))))
    }
}

struct Operations<'a>(&'a PathItem);

impl Serialize for Operations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(PathItem { post, put, get, delete, .. }) = self;
        let operations = [("post", post), ("put", put), ("get", get), ("delete", delete)];
        serializer.collect_map(
            operations.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?))),
        )
    }
}

#[cfg(test)]
mod tests;
