//! Results that are bytes and no JSON. Every result is stored as JSON, and a record says where that stands for bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a result's JSON stands for its bytes, where it is not the result itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResultEncoding {
    /// A string with the bytes in base64.
    Base64,
}

impl ResultEncoding {
    /// The JSON that stands for these bytes.
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Base64 => format!("\"{}\"", BASE64_STANDARD.encode(bytes)),
        }
    }

    /// The bytes that this JSON stands for; nothing where it is no such JSON.
    pub fn decode(self, json: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => BASE64_STANDARD.decode(json.strip_prefix(b"\"")?.strip_suffix(b"\"")?).ok(),
        }
    }

    /// How many bytes of JSON stand for so many bytes at most.
    pub const fn most_json_bytes(bytes: u64) -> u64 {
        bytes.div_ceil(3) * 4 + 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_can_be_told() {
        for bytes in [b"".as_slice(), b"\xff\0\n", b"<p>", &[7; 1000]] {
            let json = ResultEncoding::Base64.encode(bytes);
            assert!(serde_json::from_str::<String>(&json).is_ok(), "{json}");
            assert_eq!(json.len() as u64, ResultEncoding::most_json_bytes(bytes.len() as u64));
            assert_eq!(ResultEncoding::Base64.decode(json.as_bytes()).as_deref(), Some(bytes));
        }
        for nonsense in ["", "\"", "YQ==", "\"%\"", "[1]"] {
            assert_eq!(ResultEncoding::Base64.decode(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}
