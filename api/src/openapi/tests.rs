//! The document as a whole. That every response holds to it is checked by all tests that ask the API.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// What stands in the text before and after.
fn between<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn create_and_execute_come_first() {
    let ids = between(&DOCUMENT.json, "\"operationId\":\"");
    let paths = [r#""paths":{"/v1/functions":{"post""#, r#""/v1/functions/{function}/executions":{"post""#];
    let [create, execute] = paths.map(|path| DOCUMENT.json.find(path).unwrap());
    assert!(create < execute && ids[0] == "CreateFunction" && ids.contains(&"ExecuteFunction"), "{ids:?}");
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    assert!(ids.iter().all(|id| id.starts_with(|c: char| c.is_ascii_uppercase())), "{ids:?}");
}

#[test]
fn every_reference_leads_somewhere() {
    let document: Value = serde_json::from_str(&DOCUMENT.json).unwrap();
    for reference in between(&DOCUMENT.json, "\"$ref\":\"#") {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn what_a_function_shows_is_closed_and_a_request_may_leave_fields_out() {
    let document: Value = serde_json::from_str(&DOCUMENT.json).unwrap();
    let schemas = &document["components"]["schemas"];
    let required = |name: &str| schemas[name]["required"].as_array().map_or(0, Vec::len);
    assert_eq!((required("FunctionConfig"), required("FunctionConfigRequest")), (13, 0));
    assert_eq!(schemas["Function"]["additionalProperties"], false);
    assert_eq!(schemas["FunctionRequest"]["additionalProperties"], false);
    assert_eq!(schemas["FunctionConfigRequest"]["properties"]["timeout_ms"]["maximum"], 39_600_000);
}
