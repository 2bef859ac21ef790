//! Aliases, and their shares.

use reqwest::Method;
use serde_json::{Value, json};

use super::{FUNCTIONS, arn};
use crate::fixture::Api;

const ALIASES: &str = "/2015-03-31/functions/hello/aliases";

/// `hello` with versions 1 and 2.
async fn with_two_versions() -> Api {
    let api = Api::start().await;
    api.wire_create("hello").await;
    for timeout in [4, 5] {
        let path = format!("{FUNCTIONS}/hello/configuration");
        api.wire_put(&path, json!({"Timeout": timeout})).await.shown(200);
        api.wire_post(&format!("{FUNCTIONS}/hello/versions"), json!({})).await.shown(201);
    }
    api
}

#[tokio::test]
async fn an_alias_is_made_moved_and_removed() {
    let api = with_two_versions().await;
    let weights = json!({"AdditionalVersionWeights": {"2": 0.2}});
    let create = json!({"Name": "live", "FunctionVersion": "1", "RoutingConfig": weights});
    let created = api.wire_post(ALIASES, create.clone()).await.shown(201);
    let expected = json!({
        "AliasArn": arn("hello:live"), "Name": "live", "FunctionVersion": "1", "Description": "",
        "RevisionId": created["RevisionId"], "RoutingConfig": weights,
    });
    assert_eq!(created, expected);
    let path = format!("{ALIASES}/live");
    assert_eq!(api.wire_get(&path).await.shown(200), created);
    assert_eq!(api.get("/v1/functions/hello").await.json()["aliases"]["live"]["weights"], json!({"2": 0.2}));
    let (status, code, text) = api.wire_post(ALIASES, create).await.refusal();
    assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
    assert_eq!(text, format!("Alias already exists: {}", arn("hello:live")));
    // An update with nothing new has a new revision id all the same.
    let same = api.wire_put(&path, json!({})).await.shown(200);
    assert_ne!(same["RevisionId"], created["RevisionId"]);
    let stale = json!({"FunctionVersion": "2", "RevisionId": created["RevisionId"]});
    assert_eq!(api.wire_put(&path, stale).await.refusal().0, 412);
    let cleared = json!({
        "FunctionVersion": "2", "RevisionId": same["RevisionId"], "Description": "d",
        "RoutingConfig": {"AdditionalVersionWeights": {}},
    });
    let moved = api.wire_put(&path, cleared).await.shown(200);
    assert_eq!([&moved["FunctionVersion"], &moved["Description"]], [&json!("2"), &json!("d")]);
    assert_eq!(moved.get("RoutingConfig"), None);
    let configuration =
        api.wire_get(&format!("{FUNCTIONS}/hello/configuration?Qualifier=live")).await.shown(200);
    assert_eq!(
        [&configuration["FunctionArn"], &configuration["Version"]],
        [&json!(arn("hello:live")), &json!("2")]
    );
    // A version that it points at stays.
    assert_eq!(api.wire_delete(&format!("{FUNCTIONS}/hello?Qualifier=2")).await.refusal().0, 409);
    assert_eq!(api.wire_delete(&path).await.shown(204), Value::Null);
    let (status, _, text) = api.wire_get(&path).await.refusal();
    assert_eq!((status, text), (404, format!("Cannot find alias arn: {}", arn("hello:live"))));
    let (status, _, text) = api.wire_put(&path, json!({})).await.refusal();
    assert_eq!((status, text), (404, format!("Alias not found: {}", arn("hello:live"))));
}

#[tokio::test]
async fn an_alias_may_follow_latest() {
    let api = with_two_versions().await;
    api.wire_put(&format!("{FUNCTIONS}/hello/configuration"), json!({"Timeout": 8})).await.shown(200);
    let create = json!({"Name": "next", "FunctionVersion": "$LATEST"});
    let created = api.wire_post(ALIASES, create).await.shown(201);
    assert_eq!(created["FunctionVersion"], "$LATEST");
    let configuration =
        api.wire_get(&format!("{FUNCTIONS}/hello/configuration?Qualifier=next")).await.shown(200);
    assert_eq!([&configuration["Version"], &configuration["Timeout"]], [&json!("$LATEST"), &json!(8)]);
}

#[tokio::test]
async fn what_no_alias_can_be_is_refused_as_recorded() {
    let api = with_two_versions().await;
    let cases: Vec<(Value, u16, String, String)> =
        serde_json::from_str(include_str!("refused_aliases.json")).unwrap();
    for (change, status, code, text) in cases {
        let mut create = json!({"Name": "live", "FunctionVersion": "1"});
        create.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = api.wire_post(ALIASES, create).await;
        let (told_status, told_code, told) = answer.refusal();
        assert_eq!((told_status, told_code), (status, code.clone()), "{change}: {told}");
        assert!(told.contains(&text), "{change}: {told}");
        let is_without_type = text.starts_with("$LATEST is not") || code == "ValidationException";
        assert_eq!(answer.json().get("Type").is_none(), is_without_type, "{answer:?}");
    }
    let empty = json!({"Name": "empty", "FunctionVersion": "1", "RoutingConfig": {}});
    api.wire_post(ALIASES, empty).await.shown(201);
}

#[tokio::test]
async fn a_list_is_by_name_and_perhaps_of_one_version() {
    let api = with_two_versions().await;
    for (name, version) in [("c", "1"), ("a", "2"), ("b", "1")] {
        let create = json!({"Name": name, "FunctionVersion": version});
        api.wire_post(ALIASES, create).await.shown(201);
    }
    let names = async |query: &str| {
        let page = api.wire(Method::GET, &format!("{ALIASES}{query}"), None).await.shown(200);
        let aliases = page["Aliases"].as_array().unwrap();
        let names = aliases.iter().map(|alias| alias["Name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), page.get("NextMarker").cloned())
    };
    assert_eq!(names("").await.0, ["a", "b", "c"]);
    assert_eq!(names("?FunctionVersion=1").await.0, ["b", "c"]);
    let (first, next) = names("?MaxItems=2").await;
    assert_eq!(first, ["a", "b"]);
    let marker = next.unwrap();
    assert_eq!(names(&format!("?Marker={}", marker.as_str().unwrap())).await, (vec!["c".to_owned()], None));
}
