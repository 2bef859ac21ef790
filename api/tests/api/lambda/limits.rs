//! How large things may be, in AWS's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{FUNCTIONS, to_create, zip};
use crate::fixture::{Api, send_unchecked};

const MOST_ZIPPED: usize = 52_428_800;
const MOST_REQUESTED: usize = 70_167_211;
const MOST_UNPACKED: u32 = 262_144_000;

/// The zip, which says that it holds so many bytes.
fn said_to_hold(bytes: u32, mut zip: Vec<u8>) -> Vec<u8> {
    let entry = zip.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    zip[entry + 24..entry + 28].copy_from_slice(&bytes.to_le_bytes());
    zip
}

#[tokio::test]
async fn code_has_a_largest_size_packed_and_unpacked() {
    let api = Api::start().await;
    let with_code = |zip_file: String| {
        let mut request = to_create("large");
        request["Code"]["ZipFile"] = json!(zip_file);
        request
    };
    let large = "A".repeat(MOST_ZIPPED.div_ceil(3) * 4);
    let (status, code, text) = api.wire_post(FUNCTIONS, with_code(large)).await.refusal();
    assert_eq!((status, code.as_str()), (413, "RequestEntityTooLargeException"));
    assert_eq!(text, "Zipped size must be smaller than 52428800 bytes");

    let body = vec![b' '; MOST_REQUESTED + 1];
    let answer = send_unchecked(api.request(Method::POST, FUNCTIONS).body(body)).await;
    let (status, code, text) = answer.refusal();
    assert_eq!((status, code.as_str()), (413, "RequestEntityTooLargeException"));
    assert_eq!(text, "Request must be smaller than 70167211 bytes for the CreateFunction operation");

    let bomb = said_to_hold(MOST_UNPACKED, zip("1"));
    let (status, code, text) = api.wire_post(FUNCTIONS, with_code(STANDARD.encode(bomb))).await.refusal();
    assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"));
    assert_eq!(text, "Unzipped size must be smaller than 262144000 bytes");
}

#[tokio::test]
async fn a_function_is_made_with_no_more_than_fifty_tags() {
    let api = Api::start().await;
    let with_tags = |tags: usize| {
        let mut request = to_create("tagged");
        request["Tags"] = (0..tags).map(|n| (format!("k{n}"), json!("v"))).collect::<Value>();
        request
    };
    let (status, code, text) = api.wire_post(FUNCTIONS, with_tags(51)).await.refusal();
    assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"));
    assert_eq!(text, "Number of tags exceeds resource tag limit.");
    api.wire_post(FUNCTIONS, with_tags(50)).await.shown(201);
    let shown = api.wire_get(&format!("{FUNCTIONS}/tagged")).await.shown(200);
    assert_eq!(shown["Tags"].as_object().unwrap().len(), 50);
}
