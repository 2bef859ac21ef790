//! Schemas of what requests bring, made of the limits that are checked, and the parameters that extractors read.

use std::ops::RangeInclusive;

use badlambda_shared::execution::{ErrorKind, Status};
use badlambda_shared::function::FunctionConfig;
use badlambda_shared::id::ExecutionId;
use badlambda_shared::limits;
use badlambda_shared::name::{Alias, FunctionName, VersionRef};
pub(crate) use badlambda_shared::schema::created_name;
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::http::conditions::Conditions;
use crate::http::error::IDEMPOTENCY_KEY;
use crate::http::request::{ExecutionPath, FunctionPath};

/// A whole number in this range.
pub(crate) fn integer(range: RangeInclusive<u64>, default: Option<u64>) -> Schema {
    let integer = ObjectBuilder::new().schema_type(Type::Integer);
    let integer = integer.minimum(Some(*range.start())).maximum(Some(*range.end()));
    integer.default(default.map(Value::from)).build().into()
}

/// Text that matches a regular expression, with so many characters.
pub(crate) fn text(pattern: &str, chars: RangeInclusive<usize>) -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    text.min_length(Some(*chars.start())).max_length(Some(*chars.end())).build().into()
}

/// `limit` of a list.
pub(crate) fn page_limit() -> Schema {
    integer(1..=limits::MAX_PAGE as u64, Some(limits::PAGE as u64))
}

/// `limit` of a list of executions.
pub(crate) fn listed_limit() -> Schema {
    integer(1..=limits::MAX_LISTED as u64, Some(limits::PAGE as u64))
}

/// `delay` of what is submitted.
pub(crate) fn delay() -> Schema {
    integer(0..=limits::SQS_LONGEST_DELAY.as_secs(), Some(0))
}

/// A version's number in a filter.
pub(crate) fn number() -> Schema {
    integer(0..=u32::MAX.into(), None)
}

/// A version's number.
pub(crate) fn version_number() -> Schema {
    integer(1..=u32::MAX.into(), None)
}

/// The name that a new function is to have, if it is given one.
pub(crate) fn name_if_any() -> Schema {
    let mut name = created_name();
    if let Schema::Object(name) = &mut name {
        name.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
    }
    name
}

/// `config` in a request, where each field is optional: `openapi` makes it of [`FunctionConfig`].
pub(crate) struct FunctionConfigRequest;

impl PartialSchema for FunctionConfigRequest {
    fn schema() -> RefOr<Schema> {
        FunctionConfig::schema()
    }
}

impl ToSchema for FunctionConfigRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        FunctionConfig::schemas(schemas);
    }
}

/// Any JSON, as the body of a request or a response.
pub(crate) struct AnyJson;

impl PartialSchema for AnyJson {
    fn schema() -> RefOr<Schema> {
        any_json().into()
    }
}

impl ToSchema for AnyJson {}

/// Any JSON.
pub(crate) fn any_json() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(SchemaType::AnyValue).build())
}

/// Nothing but null.
pub(crate) fn null() -> Schema {
    ObjectBuilder::new().schema_type(Type::Null).build().into()
}

/// The name of a function.
pub(crate) fn function_name() -> RefOr<Schema> {
    reference::<FunctionName>()
}

/// `version` of what is submitted.
pub(crate) fn version() -> RefOr<Schema> {
    reference::<VersionRef>()
}

/// `status` of what can be listed.
pub(crate) fn listed_status() -> Schema {
    let listed = [Status::Running, Status::Succeeded, Status::Failed, Status::Cancelled];
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(listed.map(Status::name))).build().into()
}

/// `kind` of a list.
pub(crate) fn error_kind() -> RefOr<Schema> {
    reference::<ErrorKind>()
}

/// A time, or how long ago it was.
pub(crate) fn moment() -> Schema {
    let time = ObjectBuilder::new().schema_type(Type::String);
    let time = time.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    OneOfBuilder::new().item(time).item(text("^[0-9]{1,9}[smhd]$", 2..=10)).build().into()
}

/// A part of a dead letter's reason.
pub(crate) fn reason() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(limits::MAX_FILTER_CHARS))
        .build()
        .into()
}

/// `per_second` of a redrive.
pub(crate) fn redrives_per_second() -> Schema {
    integer(1..=limits::MAX_REDRIVES_PER_SECOND.into(), Some(limits::REDRIVES_PER_SECOND.into()))
}

fn parameter(name: &str, parameter_in: ParameterIn, description: &str) -> ParameterBuilder {
    let required = if parameter_in == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(parameter_in)
        .required(required)
        .description(Some(description))
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
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
        vec![prefer.schema(Some(text)).example(Some(json!("wait=10"))).build()]
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

/// Where a list of functions goes on.
pub(crate) struct FunctionsCursor;
/// Where a list of versions goes on.
pub(crate) struct VersionsCursor;
/// Where a list of executions goes on.
pub(crate) struct ExecutionsCursor;

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

impl IntoParams for ExecutionsCursor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        cursor(text(r"^[0-9]{1,18}(\.[A-Za-z0-9_-]{1,128})?$", 1..=147))
    }
}
