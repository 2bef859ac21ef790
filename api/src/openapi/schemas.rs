//! Schemas, as they are to be known by: those of responses leave no field open.

use badlambda_shared::function::FunctionConfig;
use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::{Components, RefOr};

/// `config` in a function, which has every field.
const CONFIG: &str = "FunctionConfig";
/// `config` in a request, where each field is optional.
const CONFIG_REQUEST: &str = "FunctionConfigRequest";
/// What is left out of a response where there is nothing.
const LEFT_OUT: [(&str, &str); 3] =
    [(CONFIG, "handler"), ("DeadLetterCount", "redriven"), ("DeadLetterCount", "deleted")];

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
        let RefOr::T(Schema::AllOf(all_of)) = schema else { continue };
        let mut flat = Object::new();
        flat.description.clone_from(&all_of.description);
        for item in &all_of.items {
            let item = match item {
                RefOr::Ref(reference) => {
                    let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
                    known.get(name)
                }
                own => Some(own),
            };
            if let Some(RefOr::T(Schema::Object(object))) = item {
                flat.properties.extend(object.properties.clone());
            }
        }
        *schema = Schema::Object(flat).into();
    }
}
