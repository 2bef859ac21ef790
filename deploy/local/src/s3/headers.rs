//! What is told of an object to those who read it, as its writer said.

use std::collections::HashMap;

use s3s::dto::{PutObjectInput, Timestamp, TimestampFormat};
use serde::{Deserialize, Serialize};

/// What S3 says of an object that was put without a type.
const UNKNOWN_TYPE: &str = "binary/octet-stream";

/// The headers of a read's answer, and the metadata.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Headers {
    pub(crate) content_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    /// As in the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    metadata: HashMap<String, String>,
}

impl Headers {
    pub(crate) fn take_from(input: &mut PutObjectInput) -> Self {
        Self {
            content_type: input.content_type.take().unwrap_or_else(|| UNKNOWN_TYPE.to_owned()),
            cache_control: input.cache_control.take(),
            content_disposition: input.content_disposition.take(),
            content_encoding: input.content_encoding.take(),
            content_language: input.content_language.take(),
            expires: input.expires.take().and_then(http_date),
            metadata: input.metadata.take().unwrap_or_default(),
        }
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        Timestamp::parse(TimestampFormat::HttpDate, self.expires.as_deref()?).ok()
    }

    pub(crate) fn take_metadata(&mut self) -> Option<HashMap<String, String>> {
        let metadata = std::mem::take(&mut self.metadata);
        (!metadata.is_empty()).then_some(metadata)
    }
}

fn http_date(time: Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}
