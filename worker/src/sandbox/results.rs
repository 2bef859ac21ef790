//! Checks what an execution claims to be its result.

use badlambda_shared::execution::message::depth_is_bounded;
use badlambda_shared::execution::result_encoding::ResultEncoding;
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::function::FunctionConfig;
use serde::de::IgnoredAny;

use super::failures::too_large;

/// The result's JSON, or what is wrong with it.
pub(super) fn check_result(json: &[u8], config: &FunctionConfig) -> Result<String, ExecutionError> {
    if json.len() as u64 > config.max_result_bytes {
        return Err(too_large(config));
    }
    let not_json = |why: &str| ExecutionError::new(ErrorKind::ResultNotJson, format!("the result {why}"));
    let text = std::str::from_utf8(json).map_err(|_| not_json("is not valid UTF-8"))?;
    if !depth_is_bounded(text) {
        return Err(not_json("is nested too deeply"));
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&format!("is not JSON: {error}")))?;
    Ok(text.to_owned())
}

/// The JSON of a result that is to be sent as it is, and how it stands for that. What is JSON stands for itself.
pub(super) fn check_bytes(
    bytes: &[u8],
    config: &FunctionConfig,
) -> Result<(String, Option<ResultEncoding>), ExecutionError> {
    if bytes.len() as u64 > config.max_result_bytes {
        return Err(too_large(config));
    }
    // Around its result, a record keeps no space.
    let is_exact = bytes.trim_ascii().len() == bytes.len();
    if let Some(json) = check_result(bytes, config).ok().filter(|_| is_exact) {
        return Ok((json, None));
    }
    let encoding = ResultEncoding::Base64;
    Ok((encoding.encode(bytes), Some(encoding)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_json_are_told_in_base64() {
        let config = FunctionConfig { max_result_bytes: 9, ..FunctionConfig::default() };
        let base64 = Some(ResultEncoding::Base64);
        for (bytes, json, encoding) in [
            (b"{\"a\": 1}".as_slice(), "{\"a\": 1}", None),
            (b"<p>", "\"PHA+\"", base64),
            (b"\xff", "\"/w==\"", base64),
            (b"", "\"\"", base64),
            (b"1\n", "\"MQo=\"", base64),
        ] {
            assert_eq!(check_bytes(bytes, &config).unwrap(), (json.to_owned(), encoding), "{bytes:?}");
        }
        assert_eq!(check_bytes(&[0; 10], &config).unwrap_err().kind, ErrorKind::ResultTooLarge);
    }
}
