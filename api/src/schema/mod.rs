//! Schemas of what requests bring, made of the limits that are checked.

use std::ops::RangeInclusive;

use badlambda_shared::execution::{ErrorKind, Status};
use badlambda_shared::function::FunctionConfig;
use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::limits;
pub(crate) use badlambda_shared::schema::{created_name, version_number, weights};
use serde_json::Value;
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

pub(crate) mod parameters;

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

/// `handler`, where the body has no place for it.
pub(crate) fn handler() -> Schema {
    text("^[^ ]+$", 1..=128)
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

/// `chunk` of a map.
pub(crate) fn chunk_items() -> Schema {
    integer(1..=limits::MAX_CHUNK_ITEMS.into(), None)
}

/// The index of an input of a map, or the end of all.
pub(crate) fn map_index() -> Schema {
    integer(0..=limits::MAX_MAP_ITEMS, Some(0))
}

/// A version's number in a filter.
pub(crate) fn number() -> Schema {
    integer(0..=u32::MAX.into(), None)
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

fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}
