//! The entries of `BADLAMBDA_TOKENS`.
//!
//! They are read by hand: what serde says of a wrong value quotes it, and it may be a secret.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use serde_json::{Map, Value};

use super::rate::Rate;
use super::token::{KeyPair, Scope, Token};

const FIELDS: [&str; 7] =
    ["name", "sha256", "scopes", "functions", "per_second", "access_key_id", "secret_access_key"];
const NAME_CHARS: RangeInclusive<usize> = 1..=64;
/// As AWS has it.
const ACCESS_KEY_ID_CHARS: RangeInclusive<usize> = 16..=128;

/// Reads every entry of the list.
///
/// # Errors
/// Says which entry is wrong, by its name or number, and what is to be done.
pub(super) fn read_all(json: &str) -> Result<Vec<Token>, String> {
    let value: Value = serde_json::from_str(json)
        .map_err(|error| format!("it is not JSON: line {}, column {}", error.line(), error.column()))?;
    let Value::Array(entries) = value else {
        return Err("it must be a JSON array of tokens".to_owned());
    };
    if !(1..=limits::MAX_TOKENS).contains(&entries.len()) {
        return Err(format!("it must hold 1 to {} tokens", limits::MAX_TOKENS));
    }
    let read = |(index, value): (usize, &Value)| {
        let Value::Object(fields) = value else { return Err(format!("entry {index} must be an object")) };
        let name = name(fields).map_err(|reason| format!("entry {index}: {reason}"))?;
        token(&name, fields).map_err(|reason| format!("the token {name}: {reason}"))
    };
    (0..).zip(&entries).map(read).collect()
}

fn name(fields: &Map<String, Value>) -> Result<String, String> {
    let name = required(fields, "name")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if NAME_CHARS.contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(name.to_owned());
    }
    Err("`name` must be 1 to 64 letters, digits, hyphens, underscores and dots".to_owned())
}

fn token(name: &str, fields: &Map<String, Value>) -> Result<Token, String> {
    if !fields.keys().all(|field| FIELDS.contains(&field.as_str())) {
        return Err(format!("it has a field that is none of {}", FIELDS.join(", ")));
    }
    Ok(Token {
        name: name.to_owned(),
        sha256: sha256(required(fields, "sha256")?)?,
        scopes: scopes(fields)?,
        functions: functions(fields)?,
        rate: per_second(fields)?.map(Rate::new),
        key_pair: key_pair(fields)?,
    })
}

fn sha256(text: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest)
        .map_err(|_| "`sha256` must be 64 hexadecimal digits: those of `printf %s TOKEN | sha256sum`")?;
    Ok(digest)
}

fn scopes(fields: &Map<String, Value>) -> Result<BTreeSet<Scope>, String> {
    let wrong = || "`scopes` must be a list of `read`, `execute` and `manage`, or some of them".to_owned();
    let names = fields.get("scopes").and_then(texts).ok_or_else(wrong)?;
    let scope = |name: &str| Scope::ALL.into_iter().find(|scope| scope.name() == name).ok_or_else(wrong);
    names.into_iter().map(scope).collect()
}

fn functions(fields: &Map<String, Value>) -> Result<Option<BTreeSet<FunctionName>>, String> {
    let wrong =
        || "`functions` must be a list of functions' names; leave it out for all functions".to_owned();
    let Some(value) = fields.get("functions") else { return Ok(None) };
    let names: Result<_, _> = texts(value).ok_or_else(wrong)?.into_iter().map(str::parse).collect();
    names.map(Some).map_err(|_| wrong())
}

fn per_second(fields: &Map<String, Value>) -> Result<Option<NonZeroU32>, String> {
    let Some(value) = fields.get("per_second") else { return Ok(None) };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).and_then(NonZeroU32::new);
    match number.filter(|number| number.get() <= limits::MAX_REQUESTS_PER_SECOND) {
        Some(number) => Ok(Some(number)),
        None => {
            let most = limits::MAX_REQUESTS_PER_SECOND;
            Err(format!("`per_second` must be a whole number from 1 to {most}; leave it out for no limit"))
        }
    }
}

fn key_pair(fields: &Map<String, Value>) -> Result<Option<KeyPair>, String> {
    let (id, secret) = (text(fields, "access_key_id")?, text(fields, "secret_access_key")?);
    let (id, secret) = match (id, secret) {
        (None, None) => return Ok(None),
        (Some(id), Some(secret)) => (id, secret),
        _ => return Err("`access_key_id` and `secret_access_key` must be set together".to_owned()),
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !ACCESS_KEY_ID_CHARS.contains(&id.len()) || !id.bytes().all(is_word) {
        return Err("`access_key_id` must be 16 to 128 letters, digits and underscores".to_owned());
    }
    if secret.len() < limits::MIN_TOKEN_CHARS || !is_visible(secret) {
        let least = limits::MIN_TOKEN_CHARS;
        return Err(format!("`secret_access_key` must be at least {least} visible ASCII characters"));
    }
    Ok(Some(KeyPair { access_key_id: id.to_owned(), secret_access_key: secret.to_owned() }))
}

fn text<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, String> {
    let text = |value: &'a Value| value.as_str().ok_or_else(|| format!("`{field}` must be a string"));
    fields.get(field).map(text).transpose()
}

fn required<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<&'a str, String> {
    text(fields, field)?.ok_or_else(|| format!("`{field}` is required"))
}

/// A list of strings that is not empty.
fn texts(value: &Value) -> Option<Vec<&str>> {
    let texts: Vec<&str> = value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    Some(texts).filter(|texts| !texts.is_empty())
}

pub(super) fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sesame-sesame-sesame";

    fn refused(entry: &str) -> String {
        let digest = "0".repeat(64);
        let error = read_all(&format!("[{}]", entry.replace("DIGEST", &digest))).map(drop).unwrap_err();
        assert!(!error.contains(SECRET), "{error}");
        error
    }

    #[test]
    fn an_entry_that_cannot_be_is_named_and_shows_no_value() {
        for (entry, expected) in [
            ("1", "entry 0 must be an object"),
            ("{}", "entry 0: `name` is required"),
            (r#"{"name": "sesame-sesame-sesame!"}"#, "entry 0: `name` must be"),
            (r#"{"name": "ci"}"#, "the token ci: `sha256` is required"),
            (r#"{"name": "ci", "sha256": "sesame-sesame-sesame"}"#, "the token ci: `sha256` must be 64"),
            (
                r#"{"name": "ci", "sha256": ["sesame-sesame-sesame"]}"#,
                "the token ci: `sha256` must be a string",
            ),
            (r#"{"name": "ci", "sha256": "DIGEST"}"#, "the token ci: `scopes` must be"),
            (r#"{"name": "ci", "sha256": "DIGEST", "scopes": []}"#, "the token ci: `scopes` must be"),
            (r#"{"name": "ci", "sha256": "DIGEST", "scopes": ["write"]}"#, "the token ci: `scopes` must be"),
            (
                r#"{"name": "ci", "token": "sesame-sesame-sesame"}"#,
                "the token ci: it has a field that is none of",
            ),
            (r#"{"name": "ci", "sesame-sesame-sesame": 1}"#, "the token ci: it has a field that is none of"),
        ] {
            let error = refused(entry);
            assert!(error.starts_with(expected), "{entry}: {error}");
        }
        for (fields, expected) in [
            (r#""functions": null"#, "`functions` must be"),
            (r#""functions": []"#, "`functions` must be"),
            (r#""functions": ["a b"]"#, "`functions` must be"),
            (r#""per_second": 0"#, "`per_second` must be"),
            (r#""per_second": 0.5"#, "`per_second` must be"),
            (r#""per_second": "9""#, "`per_second` must be"),
            (r#""access_key_id": "KEY0KEY0KEY0KEY0""#, "`access_key_id` and `secret_access_key` must be set"),
            (
                r#""secret_access_key": "sesame-sesame-sesame""#,
                "`access_key_id` and `secret_access_key` must be",
            ),
            (
                r#""access_key_id": "short", "secret_access_key": "sesame-sesame-sesame""#,
                "`access_key_id` must be 16",
            ),
            (
                r#""access_key_id": "KEY0KEY0KEY0KEY0", "secret_access_key": "sesame""#,
                "`secret_access_key` must be at least 16",
            ),
        ] {
            let error =
                refused(&format!(r#"{{"name": "ci", "sha256": "DIGEST", "scopes": ["read"], {fields}}}"#));
            assert!(error.starts_with(&format!("the token ci: {expected}")), "{fields}: {error}");
        }
    }
}
