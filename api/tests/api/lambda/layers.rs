//! Layers: published, shown, listed and deleted.

use std::collections::BTreeSet;

use badlambda_shared::function::package::Packer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::encoded;
use crate::fixture::{Api, send_unchecked};

pub(super) const LAYERS: &str = "/2018-10-31/layers";
const GONE: &str = "The resource you requested does not exist.";

/// The ARN of a layer, with what follows its name.
pub(super) fn layer_arn(rest: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:layer:{rest}")
}

fn zip(content: &[u8]) -> Vec<u8> {
    let mut zip = Packer::default();
    zip.file("ruby/lib/tool.rb", content, false).unwrap();
    zip.finish().unwrap()
}

fn content(zip: &[u8]) -> Value {
    json!({"ZipFile": STANDARD.encode(zip)})
}

impl Api {
    /// Publishes a layer with something in it, and answers what is shown of the version.
    pub(super) async fn publish_layer(&self, name: &str, more: Value) -> Value {
        let mut request = json!({"Content": content(&zip(name.as_bytes()))});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.wire_post(&format!("{LAYERS}/{name}/versions"), request).await.shown(201)
    }

    /// The numbers of a layer's versions in a list.
    async fn layer_numbers(&self, query: &str) -> Value {
        let listed = self.wire_get(&format!("{LAYERS}/{query}")).await.shown(200);
        listed["LayerVersions"].as_array().unwrap().iter().map(|version| version["Version"].clone()).collect()
    }
}

#[tokio::test]
async fn a_version_has_awss_shape() {
    let api = Api::start().await;
    let zip = zip(b"TOOL = 1");
    let request = json!({
        "Content": content(&zip), "Description": "d", "CompatibleRuntimes": [], "LicenseInfo": "MIT",
        "CompatibleArchitectures": ["arm64", "x86_64"],
    });
    let published = api.wire_post(&format!("{LAYERS}/tools/versions"), request).await.shown(201);
    let location = published["Content"]["Location"].as_str().unwrap();
    assert_eq!(reqwest::get(location).await.unwrap().bytes().await.unwrap(), zip);
    let expected = json!({
        "LayerArn": layer_arn("tools"), "LayerVersionArn": layer_arn("tools:1"), "Version": 1, "Description": "d",
        "CreatedDate": published["CreatedDate"], "CompatibleRuntimes": [], "LicenseInfo": "MIT",
        "CompatibleArchitectures": ["arm64", "x86_64"],
        "Content": {
            "CodeSha256": STANDARD.encode(Sha256::digest(&zip)), "CodeSize": zip.len(), "Location": location,
        },
    });
    assert_eq!(published, expected);
    assert!(published["CreatedDate"].as_str().unwrap().ends_with("+0000"), "{published}");
    let by_arn = format!("{LAYERS}?find=LayerVersion&Arn={}", encoded(&layer_arn("tools:1")));
    let by_arn_of_layer = format!("{LAYERS}/{}/versions/1", encoded(&layer_arn("tools")));
    for path in [format!("{LAYERS}/tools/versions/1"), by_arn, by_arn_of_layer] {
        let mut shown = api.wire_get(&path).await.shown(200);
        // Each is signed anew.
        shown["Content"]["Location"] = json!(location);
        assert_eq!(shown, expected, "{path}");
    }
    // The same once more is another version, and says no more than it was told.
    let again = api.publish_layer("tools", json!({})).await;
    let members: BTreeSet<&String> = again.as_object().unwrap().keys().collect();
    let always = ["Content", "CreatedDate", "Description", "LayerArn", "LayerVersionArn", "Version"];
    assert_eq!(members, always.map(str::to_owned).iter().collect());
    assert_eq!((&again["Version"], &again["Description"]), (&json!(2), &json!("")));
}

#[tokio::test]
async fn numbers_are_given_once() {
    let api = Api::start().await;
    let published = join_all((0..8).map(|_| api.publish_layer("tools", json!({})))).await;
    let numbers: BTreeSet<u64> =
        published.iter().map(|version| version["Version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=8).collect());
    for number in [8, 8, 3, 99] {
        let path = format!("{LAYERS}/tools/versions/{number}");
        assert_eq!(api.wire_delete(&path).await.shown(204), Value::Null);
    }
    assert_eq!(api.publish_layer("tools", json!({})).await["Version"], 9);
    assert_eq!(api.layer_numbers("tools/versions").await, json!([9, 7, 6, 5, 4, 2, 1]));
    let usage = api.wire_get("/2016-08-19/account-settings").await.shown(200)["AccountUsage"].clone();
    assert_eq!(usage["TotalCodeSize"], 7 * zip(b"tools").len());
    let (status, _, text) = api.wire_get(&format!("{LAYERS}/tools/versions/8")).await.refusal();
    assert_eq!((status, text.as_str()), (404, GONE));
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let api = Api::start().await;
    for (name, runtimes, architectures) in [
        ("a", json!(["ruby3.4"]), json!(["x86_64"])),
        ("a", json!(["ruby3.3", "ruby3.4"]), json!(["arm64"])),
        ("a-b", json!(["python3.12"]), json!(["arm64", "x86_64"])),
    ] {
        let more = json!({"CompatibleRuntimes": runtimes, "CompatibleArchitectures": architectures});
        api.publish_layer(name, more).await;
    }
    api.publish_layer("c", json!({})).await;
    api.publish_layer("gone", json!({})).await;
    api.wire_delete(&format!("{LAYERS}/gone/versions/1")).await.shown(204);

    assert_eq!(api.layer_numbers("a/versions").await, json!([2, 1]));
    assert_eq!(api.layer_numbers("a/versions?CompatibleRuntime=ruby3.3").await, json!([2]));
    assert_eq!(api.layer_numbers("a/versions?CompatibleArchitecture=x86_64").await, json!([1]));
    assert_eq!(api.layer_numbers("c/versions?CompatibleRuntime=ruby3.4").await, json!([]));
    assert_eq!(api.layer_numbers("unknown/versions").await, json!([]));
    let page = api.wire_get(&format!("{LAYERS}/a/versions?MaxItems=1")).await.shown(200);
    assert_eq!(page["LayerVersions"][0].get("Content"), None);
    let rest = format!("a/versions?MaxItems=1&Marker={}", page["NextMarker"].as_str().unwrap());
    assert_eq!(api.layer_numbers(&rest).await, json!([1]));
    assert_eq!(api.wire_get(&format!("{LAYERS}/{rest}")).await.shown(200).get("NextMarker"), None);

    let layers = async |query: &str| {
        let (mut pages, mut marker): (Vec<Value>, Option<String>) = (vec![], None);
        loop {
            let behind = marker.map_or(String::new(), |marker| format!("&Marker={marker}"));
            let page = api.wire_get(&format!("{LAYERS}?MaxItems=2{query}{behind}")).await.shown(200);
            let shown =
                |layer: &Value| json!([layer["LayerName"], layer["LatestMatchingVersion"]["Version"]]);
            pages.push(page["Layers"].as_array().unwrap().iter().map(shown).collect());
            match page["NextMarker"].as_str() {
                Some(next) => marker = Some(next.to_owned()),
                None => return json!(pages),
            }
        }
    };
    assert_eq!(layers("").await, json!([[["a-b", 1], ["a", 2]], [["c", 1]]]));
    assert_eq!(layers("&CompatibleArchitecture=x86_64").await, json!([[["a-b", 1], ["a", 1]]]));
    assert_eq!(layers("&CompatibleRuntime=ruby3.2").await, json!([[]]));
    let listed = api.wire_get(&format!("{LAYERS}?CompatibleRuntime=ruby3.4")).await.shown(200);
    assert_eq!(listed["Layers"][0]["LayerArn"], layer_arn("a"));
    assert_eq!(listed["Layers"][0]["LatestMatchingVersion"]["LayerVersionArn"], layer_arn("a:2"));
}

#[tokio::test]
async fn what_can_not_be_is_refused_as_recorded() {
    let api = Api::start().await;
    let versions = format!("{LAYERS}/tools/versions");
    let cases: Vec<(Value, u16, String, String)> =
        serde_json::from_str(include_str!("refused_layers.json")).unwrap();
    for (request, status, code, text) in cases {
        let refusal = api.wire_post(&versions, request.clone()).await.refusal();
        assert_eq!((refusal.0, refusal.1.as_str()), (status, code.as_str()), "{request}: {}", refusal.2);
        assert!(refusal.2.contains(&text), "{request}: {}", refusal.2);
    }
    assert_eq!(api.layer_numbers("tools/versions").await, json!([]));
    for (path, status, text) in [
        ("/tools/versions/0", 400, "Layer Version Cannot be less than 1"),
        ("/tools/versions/x", 400, "VersionNumber must be a number"),
        ("/tools/versions/1", 404, GONE),
        ("/tools/versions/99999999999999", 404, GONE),
        ("/a%2Fb/versions", 400, "at 'layerName' failed to satisfy constraint: Member must satisfy regular"),
        ("/tools/versions?MaxItems=51", 400, "at 'maxItems'"),
        ("/tools/versions?Marker=x", 400, "Marker is not"),
        ("/tools/versions/1/policy", 400, "does not support permissions of layer versions"),
        ("?MaxItems=0", 400, "at 'maxItems'"),
        (
            "?CompatibleRuntime=ruby1",
            400,
            "Value 'ruby1' at 'compatibleRuntime' failed to satisfy constraint",
        ),
        ("?CompatibleArchitecture=mips", 400, "at 'compatibleArchitecture'"),
        ("?find=LayerVersion", 400, "Value null at 'arn'"),
        ("?find=LayerVersion&Arn=tools", 400, "at 'arn' failed to satisfy constraint"),
        ("?find=LayerVersion&Arn=arn:aws:lambda:us-east-1:000000000000:layer:tools:1", 404, GONE),
    ] {
        let (told_status, _, told) = api.wire_get(&format!("{LAYERS}{path}")).await.refusal();
        assert_eq!(told_status, status, "{path}: {told}");
        assert!(told.contains(text), "{path}: {told}");
    }
    let large = json!({"Content": content(&vec![0; 52_428_801])});
    let (status, code, text) = api.wire_post(&versions, large).await.refusal();
    assert_eq!((status, code.as_str()), (413, "RequestEntityTooLargeException"));
    assert_eq!(text, "Zipped size must be smaller than 52428800 bytes");
}

#[tokio::test]
async fn who_may_use_some_functions_changes_no_layer() {
    let token = |name: &str, functions: Value| {
        let sha256 = hex::encode(Sha256::digest(format!("0123456789abcdef-{name}")));
        json!({"name": name, "sha256": sha256, "scopes": ["read", "manage"], "functions": functions})
    };
    let tokens = json!([token("one", json!(["hello"]))]).to_string();
    let api = Api::start_with(&[("BADLAMBDA_TOKENS", &tokens)]).await;
    let asked = async |method: Method, path: &str| {
        let request = api.request(method, path).bearer_auth("0123456789abcdef-one");
        send_unchecked(request.json(&json!({"Content": content(&zip(b""))}))).await
    };
    for (method, path) in
        [(Method::POST, "/2018-10-31/layers/a/versions"), (Method::DELETE, "/2018-10-31/layers/a/versions/1")]
    {
        let (status, code, _) = asked(method, path).await.refusal();
        assert_eq!((status, code.as_str()), (403, "AccessDeniedException"), "{path}");
    }
    asked(Method::GET, LAYERS).await.shown(200);
}
