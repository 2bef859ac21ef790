//! Holds every response that tests see against the API's OpenAPI document: its status, media type, headers and body. Included
//! by the tests that ask the API.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use badlambda_api::openapi_document;
use boon::{Compiler, SchemaIndex, Schemas};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;

/// Where the document lies, for references within it.
const ROOT: &str = "mem:///openapi.json";

/// What says how each line of a response is.
const LINES: &str = "x-item-schema";

/// The document, and every schema of it that a response can meet, compiled once.
struct Contract {
    document: Value,
    schemas: Schemas,
    /// By their places in the document.
    compiled: HashMap<String, SchemaIndex>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(openapi_document()).unwrap();
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.enable_format_assertions();
    compiler.add_resource(ROOT, document.clone()).unwrap();
    let mut places = vec![];
    collect_schemas(&document, &mut String::new(), &mut places);
    let compile = |place: String| {
        let at = format!("{ROOT}#{}", encoded(&place));
        let compiled = compiler.compile(&at, &mut schemas).unwrap_or_else(|error| panic!("{place}: {error}"));
        (place, compiled)
    };
    let compiled = places.into_iter().map(compile).collect();
    Contract { document, schemas, compiled }
});

/// A response, as far as it was read.
pub(crate) struct ReadResponse<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    /// `None` where it is streamed.
    pub(crate) body: Option<&'a [u8]>,
}

/// Panics where the document does not allow the response.
pub(crate) fn check(seen: &ReadResponse<'_>) {
    if let Err(reason) = CONTRACT.check(seen) {
        let ReadResponse { method, path, status, body, .. } = seen;
        let body = body.map(String::from_utf8_lossy).unwrap_or_default();
        panic!("/openapi.json does not allow this response: {reason}\n{method} {path}: {status}\n{body}");
    }
}

impl Contract {
    fn check(&self, seen: &ReadResponse<'_>) -> Result<(), String> {
        let place = self.response(seen)?;
        let response = self.document.pointer(&place).ok_or("it is in the document, and is not")?;
        self.check_headers(seen, &response["headers"])?;
        let is_empty = seen.body.is_some_and(<[u8]>::is_empty);
        let Some(content) = response["content"].as_object() else {
            return if is_empty { Ok(()) } else { Err("it has a body".to_owned()) };
        };
        let media_type = media_type(seen.headers).unwrap_or("none");
        if !content.contains_key(media_type) {
            return Err(format!("it is of the media type {media_type}"));
        }
        let Some(body) = seen.body.filter(|_| seen.method != Method::HEAD) else { return Ok(()) };
        let place = format!("{place}/content/{}", escaped(media_type));
        if content[media_type].get(LINES).is_some() {
            for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                self.validate(&parsed(line)?, &format!("{place}/{LINES}"))?;
            }
        }
        let value = if media_type == "application/json" || media_type.ends_with("+json") {
            parsed(body)?
        } else {
            Value::from(String::from_utf8_lossy(body))
        };
        self.validate(&value, &format!("{place}/schema"))
    }

    /// The place of the response in the document. What the document has no operation for is refused.
    fn response(&self, seen: &ReadResponse<'_>) -> Result<String, String> {
        let method = if seen.method == Method::HEAD { &Method::GET } else { seen.method };
        let method = method.as_str().to_ascii_lowercase();
        let status = seen.status.as_str();
        let operation = self.template(seen.path).and_then(|path| {
            let place = format!("/paths/{}/{method}", escaped(path));
            self.document.pointer(&place).is_some().then_some(place)
        });
        let Some(operation) = operation else {
            let refusal = match seen.status {
                StatusCode::NOT_FOUND => "NotFound",
                StatusCode::METHOD_NOT_ALLOWED => "MethodNotAllowed",
                StatusCode::FORBIDDEN => "Forbidden",
                _ => return Err("there is no such operation".to_owned()),
            };
            return Ok(format!("/components/responses/{refusal}"));
        };
        let place = format!("{operation}/responses/{status}");
        let response = self.document.pointer(&place).ok_or("its status is not documented")?;
        Ok(response["$ref"].as_str().map_or(place, |reference| reference[1..].to_owned()))
    }

    /// The path of the document that this one is of: the one with the fewest parameters, if there are several.
    fn template(&self, path: &str) -> Option<&str> {
        let matches = |template: &&String| {
            let (wanted, given) = (template.split('/'), path.split('/'));
            wanted.clone().count() == given.clone().count()
                && wanted
                    .zip(given)
                    .all(|(wanted, given)| wanted == given || (wanted.starts_with('{') && !given.is_empty()))
        };
        let paths = self.document["paths"].as_object()?.keys().filter(matches);
        paths.min_by_key(|path| path.matches('{').count()).map(String::as_str)
    }

    fn check_headers(&self, seen: &ReadResponse<'_>, documented: &Value) -> Result<(), String> {
        for name in documented.as_object().into_iter().flat_map(|headers| headers.keys()) {
            let Some(value) = seen.headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
            let place = format!("/components/headers/{}/schema", escaped(name));
            let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
            self.validate(&value, &place).map_err(|reason| format!("{name}: {reason}"))?;
        }
        Ok(())
    }

    fn validate(&self, value: &Value, place: &str) -> Result<(), String> {
        let schema = *self.compiled.get(place).ok_or_else(|| format!("{place} is no schema"))?;
        self.schemas.validate(value, schema).map_err(|error| format!("{error:#}"))
    }
}

/// JSON, with null in the place of what its grammar allows and `Value` can't hold, such as 1e999, or half of a surrogate
/// pair: inputs and results may have either, and are shown as they are.
fn parsed(json: &[u8]) -> Result<Value, String> {
    let raw: &RawValue = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    Ok(held(raw))
}

fn held(raw: &RawValue) -> Value {
    let json = raw.get();
    if let Ok(value) = serde_json::from_str(json) {
        value
    } else if let Ok(fields) = serde_json::from_str::<HashMap<String, &RawValue>>(json) {
        fields.into_iter().map(|(name, field)| (name, held(field))).collect()
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) {
        items.into_iter().map(held).collect()
    } else {
        Value::Null
    }
}

/// The media type, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// The place of every schema of a response or a header.
fn collect_schemas(value: &Value, place: &mut String, found: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (name, field) in fields {
        let length = place.len();
        write!(place, "/{}", escaped(name)).unwrap();
        let is_of_request = place.ends_with("/requestBody") || place.ends_with("/parameters");
        if name == "schema" || name == LINES {
            found.push(place.clone());
        } else if !is_of_request {
            collect_schemas(field, place, found);
        }
        place.truncate(length);
    }
}

/// As a JSON Pointer writes a name.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// As the fragment of a URL writes a JSON Pointer.
fn encoded(pointer: &str) -> String {
    pointer.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20")
}
