//! A function's code.

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use serde::{Serialize, Serializer};

/// Code, as a request has it and as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Code {
    /// One Ruby file.
    #[serde(rename = "code")]
    Ruby(String),
    /// A zip, with files and gems in it.
    #[serde(rename = "zip", serialize_with = "as_base64")]
    Zip(Vec<u8>),
}

impl Code {
    /// Its bytes, as they are stored.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Ruby(code) => code.as_bytes(),
            Self::Zip(zip) => zip,
        }
    }
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(bytes, &BASE64_STANDARD))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_has_code_as_the_api_reads_it() {
        let written = |code: Code| serde_json::to_value(code).unwrap();
        assert_eq!(written(Code::Ruby("1".to_owned())), json!({"code": "1"}));
        assert_eq!(written(Code::Zip(b"PK\xff".to_vec())), json!({"zip": "UEv/"}));
    }
}
