//! Versions, and their revision ids.

use serde_json::{Value, json};

use super::{FUNCTIONS, arn};
use crate::fixture::Api;

const VERSIONS: &str = "/2015-03-31/functions/hello/versions";
const CONFIGURATION: &str = "/2015-03-31/functions/hello/configuration";

async fn latest_revision(api: &Api) -> Value {
    api.wire_get(CONFIGURATION).await.shown(200)["RevisionId"].clone()
}

#[tokio::test]
async fn the_same_thing_is_numbered_once() {
    let api = Api::start().await;
    let created = api.wire_create("hello").await;
    let first = api.wire_post(VERSIONS, json!({"Description": "one"})).await.shown(201);
    assert_eq!(
        [&first["Version"], &first["FunctionArn"], &first["Description"], &first["State"]],
        [&json!("1"), &json!(arn("hello:1")), &json!("one"), &json!("Active")]
    );
    assert_eq!(first["LastUpdateStatus"], "Successful");
    assert_ne!(latest_revision(&api).await, created["RevisionId"]);
    // A description alone does not count.
    let again = api.wire_post(VERSIONS, json!({"Description": "two"})).await.shown(201);
    assert_eq!(again, first);
    let known = latest_revision(&api).await;
    api.wire_put(CONFIGURATION, json!({"Timeout": 9})).await.shown(200);
    assert_ne!(latest_revision(&api).await, known);
    let second = api.wire_post(VERSIONS, json!({})).await.shown(201);
    assert_eq!([&second["Version"], &second["Timeout"]], [&json!("2"), &json!(9)]);
    // Settings that only AWS's API knows count, too, and versions keep them.
    let role = "arn:aws:iam::000000000000:role/other";
    api.wire_put(CONFIGURATION, json!({"Role": role})).await.shown(200);
    let third = api.wire_post(VERSIONS, json!({})).await.shown(201);
    assert_eq!([&third["Version"], &third["Role"]], [&json!("3"), &json!(role)]);
    let path = format!("{FUNCTIONS}/hello/configuration?Qualifier=1");
    let shown = api.wire_get(&path).await.shown(200);
    assert_eq!(shown, first);
    // The rest of the API has the same versions, without what is not its own to show.
    let native = api.get("/v1/functions/hello/versions").await.json();
    let numbers: Vec<&Value> =
        native["versions"].as_array().unwrap().iter().map(|version| &version["version"]).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert!(!native.to_string().contains("lambda\":{"), "{native}");
}

#[tokio::test]
async fn a_condition_that_does_not_hold_publishes_nothing() {
    let api = Api::start().await;
    let created = api.wire_create("hello").await;
    let (status, code, text) = api.wire_post(VERSIONS, json!({"CodeSha256": "bm8="})).await.refusal();
    assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"));
    let current = created["CodeSha256"].as_str().unwrap();
    assert_eq!(
        text,
        format!(
            "CodeSHA256 (bm8=) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the \
             CodeSHA256 in $LATEST."
        )
    );
    let (status, code, text) = api.wire_post(VERSIONS, json!({"RevisionId": "x"})).await.refusal();
    assert_eq!((status, code.as_str()), (412, "PreconditionFailedException"));
    let told = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
                retrieve the latest Revision Id";
    assert_eq!(text, told);
    let right = json!({"CodeSha256": current, "RevisionId": created["RevisionId"]});
    assert_eq!(api.wire_post(VERSIONS, right).await.shown(201)["Version"], "1");
    let missing = api.wire_post("/2015-03-31/functions/none/versions", json!({})).await.refusal();
    assert_eq!(missing.2, format!("Function not found: {}", arn("none")));
}

#[tokio::test]
async fn a_list_begins_with_latest() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    for timeout in [4, 5, 6] {
        api.wire_put(CONFIGURATION, json!({"Timeout": timeout})).await.shown(200);
        api.wire_post(VERSIONS, json!({})).await.shown(201);
    }
    let (mut seen, mut marker) = (vec![], String::new());
    loop {
        let page = api.wire_get(&format!("{VERSIONS}?MaxItems=3{marker}")).await.shown(200);
        for version in page["Versions"].as_array().unwrap() {
            let number = version["Version"].as_str().unwrap();
            assert_eq!(version["FunctionArn"], arn(&format!("hello:{number}")));
            assert!(version.get("State").is_none() && version.get("RuntimeVersionConfig").is_none());
            seen.push((number.to_owned(), version["Timeout"].clone()));
        }
        match page.get("NextMarker") {
            Some(next) => marker = format!("&Marker={}", next.as_str().unwrap()),
            None => break,
        }
    }
    let expected = [("$LATEST", 6), ("1", 4), ("2", 5), ("3", 6)]
        .map(|(number, timeout)| (number.to_owned(), json!(timeout)));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn publish_at_once_answers_as_recorded() {
    use super::{to_create, zip};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let api = Api::start().await;
    let mut create = to_create("hello");
    create["Publish"] = json!(true);
    let created = api.wire_post(FUNCTIONS, create).await.shown(201);
    // With the number, and without it in the ARN.
    assert_eq!([&created["Version"], &created["FunctionArn"]], [&json!("1"), &json!(arn("hello"))]);
    assert_eq!(api.wire_get(CONFIGURATION).await.shown(200)["Version"], "$LATEST");
    let code = json!({
        "ZipFile": STANDARD.encode(zip("def handler(event:, context:) = 2")), "Publish": true,
    });
    let updated = api.wire_put(&format!("{FUNCTIONS}/hello/code"), code).await.shown(200);
    assert_eq!([&updated["Version"], &updated["FunctionArn"]], [&json!("2"), &json!(arn("hello:2"))]);
}
