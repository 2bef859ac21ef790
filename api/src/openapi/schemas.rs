//! Schemas, as they are to be known by: those of responses leave no field open.

use std::collections::BTreeMap;

use badlambda_shared::function::FunctionConfig;
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{AdditionalProperties, AllOf, Object, Schema};
use utoipa::openapi::{Components, Content, RefOr, Required};

/// `config` in a function, which has every field.
const CONFIG: &str = "FunctionConfig";
/// `config` in a request, where each field is optional.
const CONFIG_REQUEST: &str = "FunctionConfigRequest";
/// What is left out of a response where there is nothing.
const LEFT_OUT: [(&str, &str); 18] = [
    (CONFIG, "handler"),
    (CONFIG, "layers"),
    (CONFIG, "on_success"),
    (CONFIG, "on_failure"),
    ("DeadLetterCount", "redriven"),
    ("DeadLetterCount", "deleted"),
    ("DeadLetterLine", "complete"),
    ("DeadLetterLine", "deleted"),
    ("DeadLetterLine", "error"),
    ("DeadLetterLine", "redriven"),
    ("Execution", "logs_tail"),
    ("Execution", "result_encoding"),
    ("ExecutionError", "cause"),
    ("Function", "unpublished"),
    ("MapItem", "error"),
    ("MapItem", "result"),
    ("MapItem", "result_encoding"),
    ("MapItem", "usage"),
];
/// Each operation that answers with lines of JSON, and the schema of a line.
const LINES: [(&str, &str); 3] = [
    ("GetMapResults", "MapItem"),
    ("RedriveDeadLetters", "DeadLetterLine"),
    ("DeleteDeadLetters", "DeadLetterLine"),
];

/// Completes the schemas of responses and of `config`.
pub(super) fn complete(components: &mut Components) {
    flatten_all(components);
    limit_config(components);
    for (name, schema) in &mut components.schemas {
        if let RefOr::T(schema) = schema
            && !name.ends_with("Request")
        {
            close(schema, name);
        }
    }
}

/// Says what the lines of a response hold. OpenAPI 3.1 has no word for that; the extension means 3.2's `itemSchema`.
pub(super) fn describe_lines(operation: &mut Operation) {
    let id = operation.operation_id.as_deref();
    let Some((_, line)) = LINES.iter().find(|(lines, _)| Some(*lines) == id) else { return };
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && let Some(RefOr::T(content)) = response.content.get_mut("application/x-ndjson")
        {
            let line = json!({ "$ref": format!("#/components/schemas/{line}") });
            content.extensions = Some(ExtensionsBuilder::new().add("x-item-schema", line).build());
        }
    }
}

/// Where a body may be left out, it is not therefore null.
pub(super) fn leave_out_null(body: &mut RequestBody) {
    if body.required == Some(Required::True) {
        return;
    }
    for content in body.content.values_mut() {
        if let RefOr::T(Content { schema: Some(schema), .. }) = content
            && let RefOr::T(Schema::OneOf(one_of)) = schema
            && let Some(other) = one_of.items.first().cloned()
        {
            *schema = other;
        }
    }
}

/// Each field and limit of [`FunctionConfig`].
fn limit_config(components: &mut Components) {
    let Some(RefOr::T(Schema::Object(mut config))) = components.schemas.get(CONFIG).cloned() else { return };
    for (field, default, setting) in FunctionConfig::default().numbers() {
        if let Some(RefOr::T(Schema::Object(number))) = config.properties.get_mut(field) {
            number.minimum = Some((*setting.range.start()).into());
            number.maximum = Some((*setting.range.end()).into());
            number.default = Some(json!(default));
        }
    }
    let mut request = config.clone();
    request.required.clear();
    components.schemas.insert(CONFIG_REQUEST.to_owned(), Schema::Object(request).into());
    components.schemas.insert(CONFIG.to_owned(), Schema::Object(config).into());
}

/// A response has every field, but those that are left out, and no other.
fn close(schema: &mut Schema, name: &str) {
    match schema {
        Schema::Object(object) if !object.properties.is_empty() => {
            let is_there = |field: &&String| !LEFT_OUT.contains(&(name, field.as_str()));
            object.required = object.properties.keys().filter(is_there).cloned().collect();
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            object.properties.values_mut().filter_map(inline).for_each(|field| close(field, name));
        }
        Schema::OneOf(one_of) => {
            one_of.items.iter_mut().filter_map(inline).for_each(|item| close(item, name))
        }
        _ => {}
    }
}

fn inline(schema: &mut RefOr<Schema>) -> Option<&mut Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

/// A struct with the fields of another among its own (`serde(flatten)`) becomes one object, which can be closed.
fn flatten_all(components: &mut Components) {
    let known = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        if let RefOr::T(Schema::AllOf(all_of)) = schema {
            *schema = Schema::Object(flattened(all_of, &known)).into();
        }
    }
    // What nothing else refers to is no schema of its own.
    let flattened = known.values().filter_map(|schema| match schema {
        RefOr::T(Schema::AllOf(all_of)) => Some(all_of),
        _ => None,
    });
    for name in flattened.flat_map(|all_of| &all_of.items).filter_map(referred) {
        components.schemas.remove(name);
    }
}

fn flattened(all_of: &AllOf, known: &BTreeMap<String, RefOr<Schema>>) -> Object {
    let mut flat = Object::new();
    flat.description.clone_from(&all_of.description);
    for item in &all_of.items {
        let item = referred(item).map_or(Some(item), |name| known.get(name));
        if let Some(RefOr::T(Schema::Object(object))) = item {
            flat.properties.extend(object.properties.clone());
        }
    }
    flat
}

/// The name of the schema that this one stands for.
fn referred(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}
