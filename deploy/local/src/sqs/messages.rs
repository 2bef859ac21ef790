//! Messages as they come in and go out: attributes, digests, sizes.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::error::SqsError;

const MAX_ATTRIBUTES: usize = 10;
const MAX_NAME_CHARS: usize = 256;
const MAX_TYPE_CHARS: usize = 256;
/// Of one message, and of a batch.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Attributes by name, in the order that their digest needs.
pub(crate) type Attributes = BTreeMap<String, Attribute>;

/// A message attribute's value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute {
    pub(crate) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) string_value: Option<String>,
    /// In base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) binary_value: Option<String>,
}

impl Attribute {
    /// The value, if there is one, and it is of the attribute's type.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        let bytes = match (self.data_type.split('.').next(), &self.string_value, &self.binary_value) {
            (Some("String"), Some(text), None) => text.as_bytes().to_vec(),
            (Some("Number"), Some(text), None) if is_number(text) => text.as_bytes().to_vec(),
            (Some("Binary"), None, Some(text)) => STANDARD.decode(text).ok()?,
            _ => return None,
        };
        (!bytes.is_empty() && self.data_type.len() <= MAX_TYPE_CHARS).then_some(bytes)
    }
}

fn is_number(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    text.chars().all(plain) && text.parse::<f64>().is_ok()
}

/// Checks names, types and values, and that body and attributes together fit.
pub(crate) fn check(body: &str, attributes: &Attributes, most: usize) -> Result<(), SqsError> {
    if body.is_empty() {
        return Err(SqsError::MissingParameter("MessageBody"));
    }
    if attributes.len() > MAX_ATTRIBUTES {
        let found = attributes.len();
        return Err(invalid(format!(
            "Number of message attributes [{found}] exceeds the allowed maximum [10]."
        )));
    }
    for (name, attribute) in attributes {
        check_name(name)?;
        if attribute.bytes().is_none() {
            let message =
                format!("The message attribute '{name}' must contain a non-empty value of its data type.");
            return Err(invalid(message));
        }
    }
    let texts = attributes.values().filter_map(|attribute| attribute.string_value.as_deref());
    if !std::iter::once(body).chain(texts).all(|text| text.chars().all(is_valid_character)) {
        return Err(SqsError::InvalidMessageContents);
    }
    if size(body, attributes) > most {
        return Err(invalid(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        )));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), SqsError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let reserved = ["aws.", "amazon."].iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix));
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(plain) || reserved || dots {
        return Err(invalid(format!("The message attribute name '{name}' is invalid.")));
    }
    Ok(())
}

fn invalid(message: String) -> SqsError {
    SqsError::InvalidParameterValue(message)
}

/// What XML 1.0 has, which SQS's older protocol was made of.
fn is_valid_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// What counts against the limit.
pub(crate) fn size(body: &str, attributes: &Attributes) -> usize {
    let of_attribute = |(name, attribute): (&String, &Attribute)| {
        name.len() + attribute.data_type.len() + attribute.bytes().map_or(0, |bytes| bytes.len())
    };
    body.len() + attributes.iter().map(of_attribute).sum::<usize>()
}

/// The MD5 of a body, in hexadecimal.
pub(crate) fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// The MD5 of attributes, in hexadecimal, by the algorithm that AWS publishes in the SQS Developer Guide: of each,
/// sorted by name, name, type and value with their lengths, and a byte for the kind of value. `None` without any.
pub(crate) fn md5_of_attributes(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    let mut part = |bytes: &[u8], kind: Option<u8>| {
        digest.update(kind.as_slice());
        digest.update((bytes.len() as u32).to_be_bytes());
        digest.update(bytes);
    };
    for (name, attribute) in attributes {
        let kind = if attribute.data_type.starts_with("Binary") { 2 } else { 1 };
        part(name.as_bytes(), None);
        part(attribute.data_type.as_bytes(), None);
        part(&attribute.bytes().unwrap_or_default(), Some(kind));
    }
    Some(hex::encode(digest.finalize()))
}

/// Whether a receive that asks for `wanted` gets the attribute `name`.
pub(crate) fn is_wanted(name: &str, wanted: &[String]) -> bool {
    wanted.iter().any(|wish| match wish.strip_suffix(".*") {
        Some(prefix) => prefix.is_empty() || name.starts_with(prefix),
        None => wish == "All" || wish == name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(json: &str) -> Attributes {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_digest_of_attributes_is_awss() {
        // The value that the emulator moto expects of SQS in its tests.
        let one = attributes(r#"{"timestamp": {"DataType": "Number", "StringValue": "1493147359900"}}"#);
        assert_eq!(md5_of_attributes(&one).unwrap(), "235c5c510d26fb653d073faed50ae77c");
        // Computed apart from this code, by AWS's description of it.
        let three = attributes(
            r#"{"b": {"DataType": "Binary", "BinaryValue": "AQI="}, "a": {"DataType": "String", "StringValue": "x"},
                "c": {"DataType": "Number.int", "StringValue": "7"}}"#,
        );
        assert_eq!(md5_of_attributes(&three).unwrap(), "a9cf8b64b3a2a76050a5d104e5b9a757");
        assert_eq!(md5_of_attributes(&Attributes::new()), None);
    }

    #[test]
    fn bad_attributes_and_bodies_are_refused() {
        let ok = attributes(
            r#"{"a": {"DataType": "Binary", "BinaryValue": "AQI="}, "n": {"DataType": "Number.int", "StringValue": "-1.5e3"}}"#,
        );
        check("x", &ok, 100).unwrap();
        for json in [
            r#"{"a": {"DataType": "String"}}"#,
            r#"{"a": {"DataType": "String", "StringValue": ""}}"#,
            r#"{"a": {"DataType": "Binary", "BinaryValue": "?"}}"#,
            r#"{"a": {"DataType": "Text", "StringValue": "x"}}"#,
            r#"{"a": {"DataType": "Number", "StringValue": "many"}}"#,
            r#"{"a": {"DataType": "Number", "StringValue": "inf"}}"#,
            r#"{"AWS.a": {"DataType": "String", "StringValue": "x"}}"#,
            r#"{"a b": {"DataType": "String", "StringValue": "x"}}"#,
        ] {
            assert!(check("x", &attributes(json), 100).is_err(), "{json}");
        }
        assert!(matches!(check("\u{1}", &ok, 100), Err(SqsError::InvalidMessageContents)));
        assert!(check(&"x".repeat(100), &ok, 100).is_err());
        assert!(check("", &ok, 100).is_err());
    }

    #[test]
    fn attributes_can_be_asked_for_by_prefix() {
        let wanted = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(is_wanted("function", &wanted(&["All"])));
        assert!(is_wanted("function", &wanted(&[".*"])));
        assert!(is_wanted("trace.id", &wanted(&["trace.*"])));
        assert!(!is_wanted("function", &wanted(&["trace.*", "other"])));
    }
}
