//! Reading values from JSON, with every refusal as data: what serde_json says of a wrong field is prose.

use std::fmt;

use badlambda_shared::function::name::VersionRef;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize as _, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use crate::http::error::ApiError;
use crate::http::part::Part;

/// A value read from a JSON object. What is no JSON is named with its place, what is wrong in it with its field.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Serde would take an array for an object without names.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError::in_body(&[], "it must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let refused = match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(value) => return deserializer.end().map(|()| value).map_err(|error| not_json(&error)),
        Err(refused) => refused,
    };
    if refused.inner().classify() != Category::Data {
        return Err(not_json(refused.inner()));
    }
    // Once more, for what is wrong as data.
    let value: Value = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    match serde_path_to_error::deserialize::<_, T>(Typed(value)) {
        Err(error) => {
            let path = names(error.path());
            Err(error.into_inner().at(path))
        }
        // A field that is there twice, of which the second read sees one.
        Ok(_) => Err(Refusal::Invalid(refused.inner().to_string()).at(names(refused.path()))),
    }
}

/// A field that holds any JSON, of which `null` is one: `None` where there is no such field.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

/// A field that names a version, as a number or as text; `null` is none.
pub(crate) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<VersionRef>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse().map(Some).map_err(de::Error::custom)
}

/// Where text is no JSON.
pub(crate) fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::InvalidJson { reason: error.to_string(), line: error.line(), column: error.column() }
}

/// What is wrong with a value.
#[derive(Debug)]
enum Refusal {
    UnknownField { field: String, known: &'static [&'static str] },
    MissingField(&'static str),
    Invalid(String),
}

impl Refusal {
    fn at(self, path: Vec<String>) -> ApiError {
        match self {
            Self::UnknownField { field, known } => {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let reason = format!("expected one of {}", known.join(", "));
                ApiError::UnknownField { part: below(path, &field), reason }
            }
            Self::MissingField(field) => ApiError::invalid(below(path, field), "it is required"),
            Self::Invalid(reason) => ApiError::invalid(Part::Body(path), reason),
        }
    }
}

/// The names that lead to a value.
fn names(path: &Path) -> Vec<String> {
    let named = |segment: &Segment| !matches!(segment, Segment::Unknown);
    path.iter().filter(|segment| named(segment)).map(ToString::to_string).collect()
}

/// `field` inside the value at `path`, which may end with the field already.
fn below(mut path: Vec<String>, field: &str) -> Part {
    if path.last().is_none_or(|last| last != field) {
        path.push(field.to_owned());
    }
    Part::Body(path)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Invalid(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Invalid(format!("it is {unexpected}, and must be {expected}"))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownField { field: field.to_owned(), known }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }
}

/// JSON that is read with refusals as data.
struct Typed(Value);

impl<'de> Deserializer<'de> for Typed {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (_, Some(number)) => visitor.visit_i64(number),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(Self))),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, Self(value)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(name.into_deserializer()),
            _ => Err(de::Error::custom("it must be a string")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        // A part that is kept as it was written (`RawValue`) is an agreement within serde_json.
        if name.starts_with("$serde_json::private") {
            let raw = self.0.deserialize_newtype_struct(name, visitor);
            return raw.map_err(de::Error::custom);
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Refusal> for Typed {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Inner,
        #[serde(default)]
        mode: Mode,
        #[serde(default, deserialize_with = "present")]
        raw: Option<Box<RawValue>>,
        #[serde(default, deserialize_with = "version")]
        version: Option<VersionRef>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        #[default]
        Always,
        Never,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Inner {
        count: u64,
    }

    #[test]
    fn a_part_is_kept_as_it_was_written() {
        let read = |text: &str| read::<Outer>(text.as_bytes()).unwrap();
        let raw = |text: &str| read(text).raw.map(|raw| raw.get().to_owned());
        assert_eq!(raw(r#"{"name": "a", "raw": 1.50}"#).as_deref(), Some("1.50"));
        assert_eq!(raw(r#"{"name": "a", "raw": null}"#).as_deref(), Some("null"));
        assert_eq!(raw(r#"{"name": "a"}"#), None);
        for (text, expected) in [("3", "3"), ("\"3\"", "3"), ("\"live\"", "live")] {
            let version = read(&format!(r#"{{"name": "a", "version": {text}}}"#)).version;
            assert_eq!(version.unwrap().to_string(), expected);
        }
        assert_eq!(read(r#"{"name": "a", "version": null}"#).version, None);
    }

    fn refused(text: &str) -> ApiError {
        read::<Outer>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_no_json_is_named_with_its_place() {
        for (text, at) in [("", (1, 0)), ("{\n \"name\": x}", (2, 10)), (r#"{"name": "a"} x"#, (1, 15))] {
            let error = refused(text);
            assert!(
                matches!(error, ApiError::InvalidJson { line, column, .. } if (line, column) == at),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_in_it_is_named_with_its_field() {
        for (text, slug, expected) in [
            (r#"{"name": "a", "nme": 1}"#, "unknown_field", "nme"),
            (r#"{"name": "a", "inner": {"cuont": 1}}"#, "unknown_field", "inner.cuont"),
            (r#"{"name": "a", "inner": {"count": "many"}}"#, "invalid_field", "inner.count"),
            (r#"{"name": "a", "inner": {"count": -1}}"#, "invalid_field", "inner.count"),
            (r#"{"name": 1}"#, "invalid_field", "name"),
            (r#"{"name": "a", "name": "b"}"#, "invalid_field", "body"),
            (r#"{"mode": "never", "name": 1}"#, "invalid_field", "name"),
            (r#"{"raw": {"a": [1]}, "name": 1}"#, "invalid_field", "name"),
            (r#"{"name": "a", "version": "a b"}"#, "invalid_field", "version"),
            (r#"{"name": "a", "version": 0}"#, "invalid_field", "version"),
            (r#"{}"#, "invalid_field", "name"),
            (r#"["a"]"#, "invalid_field", "body"),
            (r#""text""#, "invalid_field", "body"),
        ] {
            let error = refused(text);
            let field = error.members()[0].1.clone();
            assert_eq!((error.kind().1, field.as_str()), (slug, Some(expected)), "{text}: {error:?}");
        }
    }
}
