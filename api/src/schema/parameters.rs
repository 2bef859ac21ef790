//! The parameters that extractors and handlers read: of paths, of headers, and `cursor`.

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::{Alias, FunctionName};
use badlambda_shared::limits;
use badlambda_shared::map::MapId;
use badlambda_shared::schema::created_name;
use serde_json::json;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};

use super::{number, reference, text, version_number};
use crate::executions::events::LAST_EVENT_ID;
use crate::http::conditions::Conditions;
use crate::http::error::IDEMPOTENCY_KEY;
use crate::http::request::{ExecutionPath, FunctionPath, MapPath};

fn parameter(name: &str, parameter_in: ParameterIn, description: &str) -> ParameterBuilder {
    let required = if parameter_in == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(parameter_in)
        .required(required)
        .description(Some(description))
}

impl IntoParams for FunctionPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let function = parameter("function", ParameterIn::Path, "The function's name.");
        vec![function.schema(Some(created_name())).example(Some(json!("hello"))).build()]
    }
}

impl IntoParams for ExecutionPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let function = "The function's name, or `_run` for a one-shot execution.";
        let function = parameter("function", ParameterIn::Path, function);
        let id = parameter("id", ParameterIn::Path, "The execution's id.");
        vec![
            function.schema(Some(reference::<FunctionName>())).example(Some(json!("hello"))).build(),
            id.schema(Some(reference::<ExecutionId>())).build(),
        ]
    }
}

impl IntoParams for MapPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let function = parameter("function", ParameterIn::Path, "The function's name.");
        let id = parameter("id", ParameterIn::Path, "The map's id.");
        vec![
            function.schema(Some(created_name())).example(Some(json!("hello"))).build(),
            id.schema(Some(reference::<MapId>())).build(),
        ]
    }
}

/// The alias that the path names.
pub(crate) struct AliasPath;

impl IntoParams for AliasPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let alias = parameter("alias", ParameterIn::Path, "The alias.");
        vec![alias.schema(Some(reference::<Alias>())).example(Some(json!("live"))).build()]
    }
}

/// The version that the path names, by its number alone.
pub(crate) struct VersionNumberPath;

impl IntoParams for VersionNumberPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let version = parameter("version", ParameterIn::Path, "The version's number.");
        vec![version.schema(Some(version_number())).example(Some(json!(1))).build()]
    }
}

/// What `If-Match` and `If-None-Match` may be.
const ENTITY_TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"([ ]*,[ ]*(W/)?"[!#-~]*")*)$"#;

impl IntoParams for Conditions {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = [
            ("If-Match", "Only if this is still its `ETag`, or `*` for whatever there is.", "*"),
            (
                "If-None-Match",
                "Only if this is not its `ETag`, or `*` for only if there is none.",
                "\"5f3c\"",
            ),
        ];
        let tags = || ObjectBuilder::new().schema_type(Type::String).pattern(Some(ENTITY_TAGS)).build();
        let header = |(name, description, example)| {
            let header = parameter(name, ParameterIn::Header, description).schema(Some(tags()));
            header.example(Some(json!(example))).build()
        };
        names.map(header).into()
    }
}

/// The header `If-None-Match` of what has no other condition.
pub(crate) struct IfNoneMatchHeader;

impl IntoParams for IfNoneMatchHeader {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Conditions::into_params(provider)
            .into_iter()
            .filter(|header| header.name == "If-None-Match")
            .collect()
    }
}

/// The header `Prefer`.
pub(crate) struct PreferHeader;

impl IntoParams for PreferHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let most = limits::MAX_WAIT.as_secs();
        let description = format!(
            "`wait=SECONDS` holds the answer until the execution is finished, for at most {most} s. What is not understood \
             is ignored, as RFC 7240 has it."
        );
        let prefer = parameter("Prefer", ParameterIn::Header, &description);
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        vec![prefer.schema(Some(text)).example(Some(json!("wait=5"))).build()]
    }
}

/// The header `Idempotency-Key`.
pub(crate) struct IdempotencyKeyHeader;

impl IntoParams for IdempotencyKeyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description =
            "The same key with the same request is the same execution, and with another one a 422.";
        let key = parameter(IDEMPOTENCY_KEY, ParameterIn::Header, description);
        let text = text("^[!-~]([ -~]*[!-~])?$", 1..=limits::MAX_IDEMPOTENCY_KEY_CHARS);
        vec![key.schema(Some(text)).build()]
    }
}

/// The header `Last-Event-ID`.
pub(crate) struct LastEventIdHeader;

impl IntoParams for LastEventIdHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "The id of the last event that was received: the stream goes on behind it.";
        let header = parameter(LAST_EVENT_ID, ParameterIn::Header, description);
        let id = text(r"^[0-9]{1,9}\.(none|queued|running|succeeded|failed|cancelled)\.[0-9]{1,7}$", 1..=30);
        vec![header.schema(Some(id)).build()]
    }
}

/// Where a list of functions goes on.
pub(crate) struct FunctionsCursor;
/// Where a list of versions goes on.
pub(crate) struct VersionsCursor;
/// Where a list of executions goes on.
pub(crate) struct ExecutionsCursor;
/// Where a list of maps goes on.
pub(crate) struct MapsCursor;

fn cursor(schema: impl Into<RefOr<Schema>>) -> Vec<Parameter> {
    let cursor = parameter("cursor", ParameterIn::Query, "The `next` of the page before.");
    vec![cursor.schema(Some(schema)).build()]
}

impl IntoParams for FunctionsCursor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        cursor(reference::<FunctionName>())
    }
}

impl IntoParams for VersionsCursor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        cursor(number())
    }
}

impl IntoParams for MapsCursor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        cursor(reference::<MapId>())
    }
}

impl IntoParams for ExecutionsCursor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        cursor(text(r"^[0-9]{1,18}(\.[A-Za-z0-9_-]{1,128})?$", 1..=147))
    }
}
