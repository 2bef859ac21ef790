//! How names, ids and times look in the API's OpenAPI document. What is made of fields derives its schema where it stands.

use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::execution::id::{ExecutionId, MAX_FOREIGN_CHARS};
use crate::function::alias::{AliasTarget, Weight};
use crate::function::name::{Alias, FunctionName, MAX_NAME_CHARS, Revision, VersionRef};
use crate::limits::{MAX_ALIAS_WEIGHTS, MAX_ENVIRONMENT_BYTES};
use crate::map::MapId;
use crate::timestamp::Timestamp;

/// What the names of functions match that somebody can create.
const CREATED_NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_-]*$";
/// The same, and the name that one-shot executions run under.
const ANY_NAME: &str = "^(_run|[A-Za-z0-9][A-Za-z0-9_-]*)$";
/// A name that is not a number.
const ALIAS: &str = "^([A-Za-z][A-Za-z0-9_-]*|[0-9]+[A-Za-z_-][A-Za-z0-9_-]*)$";
const REVISION: &str = "^[0-9a-f]{64}$";
const ID: &str = "^[A-Za-z0-9_-]+$";
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$";

/// The schema of a name that a new function may have.
pub fn created_name() -> Schema {
    text(CREATED_NAME, MAX_NAME_CHARS).build().into()
}

/// The schema of `config.environment`.
pub fn environment() -> Schema {
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z_][A-Za-z0-9_]*$"));
    let value = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[^\\x00]*$"));
    let value = value.max_length(Some(MAX_ENVIRONMENT_BYTES));
    let description = format!(
        "What `ENV` holds beside the documented names: at most {MAX_ENVIRONMENT_BYTES} bytes of names and values, and no \
         name that begins with `BADLAMBDA_`."
    );
    let all = ObjectBuilder::new().property_names(Some(name)).additional_properties(Some(value));
    all.description(Some(description)).build().into()
}

/// The schema of a version's number.
pub fn version_number() -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(1)).maximum(Some(u32::MAX)).build().into()
}

fn text(pattern: &str, most: usize) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.pattern(Some(pattern)).min_length(Some(1)).max_length(Some(most))
}

impl PartialSchema for FunctionName {
    fn schema() -> RefOr<Schema> {
        let description = "The name of a function, or `_run`, under which one-shot executions run.";
        Schema::from(text(ANY_NAME, MAX_NAME_CHARS).description(Some(description)).build()).into()
    }
}

impl ToSchema for FunctionName {}

impl PartialSchema for Alias {
    fn schema() -> RefOr<Schema> {
        let description = "A movable name for a version, which is not a number.";
        Schema::from(text(ALIAS, MAX_NAME_CHARS).description(Some(description)).build()).into()
    }
}

impl ToSchema for Alias {}

impl PartialSchema for Revision {
    fn schema() -> RefOr<Schema> {
        let revision = ObjectBuilder::new().schema_type(Type::String).pattern(Some(REVISION));
        let description =
            "The name of code and config that belong together: the same ones have the same name.";
        Schema::from(revision.description(Some(description)).build()).into()
    }
}

impl ToSchema for Revision {}

impl PartialSchema for VersionRef {
    fn schema() -> RefOr<Schema> {
        let latest = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["$LATEST"]));
        let description = "A version's number, an alias, or `$LATEST` for the newest one.";
        let any =
            AnyOfBuilder::new().item(version_number()).item(latest).item(Ref::from_schema_name("Alias"));
        Schema::from(any.description(Some(description)).build()).into()
    }
}

impl ToSchema for VersionRef {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Alias::name().into(), Alias::schema()));
    }
}

impl PartialSchema for Weight {
    fn schema() -> RefOr<Schema> {
        let share = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(1));
        Schema::from(share.description(Some("A share of executions, to a millionth.")).build()).into()
    }
}

impl ToSchema for Weight {}

impl PartialSchema for AliasTarget {
    fn schema() -> RefOr<Schema> {
        let shared =
            ObjectBuilder::new().property("version", version_number()).property("weights", weights());
        let shared = shared
            .required("version")
            .required("weights")
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        let target = OneOfBuilder::new().item(version_number()).item(shared);
        let description = "A version's number, or a version that shares executions with others.";
        Schema::from(target.description(Some(description)).build()).into()
    }
}

impl ToSchema for AliasTarget {}

/// The schema of the shares of an alias.
pub fn weights() -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[1-9][0-9]{0,9}$"));
    let description = format!(
        "The shares of other versions, by their numbers: at most {MAX_ALIAS_WEIGHTS}, which add up to at most 1."
    );
    let all = ObjectBuilder::new().property_names(Some(number)).additional_properties(Some(Weight::schema()));
    all.description(Some(description)).build().into()
}

impl PartialSchema for ExecutionId {
    fn schema() -> RefOr<Schema> {
        let description =
            "The id of an execution: the API's, one that its sender brought, or SQS's `MessageId`.";
        Schema::from(text(ID, MAX_FOREIGN_CHARS).description(Some(description)).build()).into()
    }
}

impl ToSchema for ExecutionId {}

impl PartialSchema for MapId {
    fn schema() -> RefOr<Schema> {
        let description = "The id of a map.";
        Schema::from(text(ID, MAX_FOREIGN_CHARS).description(Some(description)).build()).into()
    }
}

impl ToSchema for MapId {}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let time = ObjectBuilder::new().schema_type(Type::String).pattern(Some(TIME));
        let time = time.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        Schema::from(time.description(Some("A time in UTC, to the millisecond.")).build()).into()
    }
}

impl ToSchema for Timestamp {}
