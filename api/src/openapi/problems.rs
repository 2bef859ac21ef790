//! Errors, as `application/problem+json`. A handler names the statuses that are its own. Those that come from what stands
//! around the handlers (tokens, paths, queries, bodies, load) are added here.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, ArrayBuilder, Object, ObjectBuilder, Schema, Type,
};
use utoipa::openapi::{Components, ContentBuilder, Ref};

use super::headers::reference;
use crate::http::status::Kind;

const PROBLEM: &str = "Problem";
const PROBLEM_JSON: &str = "application/problem+json";

/// Describes problems, and for each status the response that holds one of its kinds.
pub(super) fn describe(components: &mut Components, kinds: &[Kind]) {
    components.schemas.insert(PROBLEM.to_owned(), problem(kinds).into());
    let mut slugs: BTreeMap<StatusCode, BTreeSet<&str>> = BTreeMap::new();
    for (status, slug, _) in kinds {
        slugs.entry(*status).or_default().insert(slug);
    }
    for (status, slugs) in slugs {
        components.responses.insert(name_of(status), response(status, &slugs).into());
    }
}

/// `NotFound` and the like.
fn name_of(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

fn of_type(schema_type: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(schema_type)
}

fn problem(kinds: &[Kind]) -> Schema {
    let slugs: BTreeSet<&str> = kinds.iter().map(|(_, slug, _)| *slug).collect();
    let text = |description: &str| of_type(Type::String).min_length(Some(1)).description(Some(description));
    let place = || of_type(Type::Integer).minimum(Some(0));
    let errors = ArrayBuilder::new().items(errors()).description(Some("All that was found wrong."));
    of_type(Type::Object)
        .description(Some("An error, as RFC 9457 has it."))
        .property("type", of_type(Type::String).enum_values(Some(slugs)).description(Some("A stable slug.")))
        .property("title", text("What the slug means."))
        .property("status", of_type(Type::Integer).minimum(Some(400)).maximum(Some(599)))
        .property("detail", text("What to do about it."))
        .property("request_id", text("Under which the API logged it, if it did."))
        .property("field", text("The field that it is about."))
        .property("line", place())
        .property("column", place())
        .property("errors", errors)
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("request_id")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .build()
        .into()
}

/// One part of the request that is wrong.
fn errors() -> Object {
    let pointer = of_type(Type::String).pattern(Some("^(/([^~]|~[01])*)?$"));
    let text = |description: &str| of_type(Type::String).description(Some(description));
    of_type(Type::Object)
        .property("pointer", pointer.description(Some("A JSON Pointer into the body.")))
        .property("parameter", text("A parameter in path or query."))
        .property("header", text("A header."))
        .property("detail", text("What is wrong with it."))
        .required("detail")
        // One of the three, and the detail.
        .min_properties(Some(2))
        .max_properties(Some(2))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .build()
}

fn response(status: StatusCode, slugs: &BTreeSet<&str>) -> Response {
    let narrowed = of_type(Type::Object)
        .property("type", of_type(Type::String).enum_values(Some(slugs.iter().copied())))
        .property("status", of_type(Type::Integer).enum_values(Some([status.as_u16()])));
    let narrowed =
        if status == StatusCode::UNPROCESSABLE_ENTITY { narrowed.required("errors") } else { narrowed };
    let schema = AllOfBuilder::new().item(Ref::from_schema_name(PROBLEM)).item(narrowed).build();
    let content = ContentBuilder::new().schema(Some(Schema::from(schema))).build();
    let description = status.canonical_reason().unwrap_or_default();
    let response = ResponseBuilder::new().description(description).content(PROBLEM_JSON, content);
    let headers: &[&str] = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => &["WWW-Authenticate"],
        StatusCode::METHOD_NOT_ALLOWED => &["Allow"],
        StatusCode::NOT_FOUND
        | StatusCode::CONFLICT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => &["Retry-After"],
        _ => &[],
    };
    let mut response = response.build();
    response.headers.extend(headers.iter().map(|name| ((*name).to_owned(), reference(name))));
    response
}

/// Adds what every operation like this one can answer, and gives the statuses that it names their bodies.
pub(super) fn add_to(operation: &mut Operation, path: &str) {
    let own = operation.responses.responses.keys().filter_map(|status| status.parse().ok());
    let own = own.filter(|status: &StatusCode| status.is_client_error() || status.is_server_error());
    let statuses: BTreeSet<StatusCode> = own.chain(surrounding(operation, path)).collect();
    for status in statuses {
        let reference = Ref::from_response_name(name_of(status));
        operation.responses.responses.insert(status.as_u16().to_string(), reference.into());
    }
}

/// What stands around the handler answers these.
fn surrounding(operation: &Operation, path: &str) -> Vec<StatusCode> {
    // Requests that name no host, those from pages of other sites, and our own failures.
    let mut statuses =
        vec![StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::INTERNAL_SERVER_ERROR];
    if operation.security.is_none() {
        statuses.extend([
            StatusCode::UNAUTHORIZED,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ]);
    }
    if operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty()) {
        statuses.push(StatusCode::UNPROCESSABLE_ENTITY);
    }
    if operation.request_body.is_some() {
        statuses.extend([StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY]);
    }
    if path.contains('{') {
        statuses.push(StatusCode::NOT_FOUND);
    }
    statuses
}
