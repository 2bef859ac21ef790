//! Functions with layers.

use badlambda_shared::aws::store::{Condition, JSON};
use badlambda_shared::function::CodeType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::layers::{LAYERS, layer_arn};
use super::{FUNCTIONS, to_create};
use crate::fixture::Api;

#[tokio::test]
async fn a_function_keeps_layers_that_are_deleted() {
    let api = Api::start().await;
    let (first, second) = (api.publish_layer("a", json!({})).await, api.publish_layer("b", json!({})).await);
    let arns = [&first["LayerVersionArn"], &second["LayerVersionArn"]];
    let shown = json!([
        {"Arn": arns[0], "CodeSize": first["Content"]["CodeSize"]},
        {"Arn": arns[1], "CodeSize": second["Content"]["CodeSize"]},
    ]);
    let mut create = to_create("hello");
    create["Layers"] = json!(arns);
    let created = api.wire_post(FUNCTIONS, create).await.shown(201);
    assert_eq!(created["Layers"], shown);
    api.wire_delete(&format!("{LAYERS}/a/versions/1")).await.shown(204);
    let configuration = format!("{FUNCTIONS}/hello/configuration");
    assert_eq!(api.wire_put(&configuration, json!({"Timeout": 9})).await.shown(200)["Layers"], shown);
    let published = api.wire_post(&format!("{FUNCTIONS}/hello/versions"), json!({})).await.shown(201);
    assert_eq!(published["Layers"], shown);
    // The rest of the API shows them, and takes them back as they are.
    let native = api.get("/v1/functions/hello").await.json();
    let layer = &native["config"]["layers"][0];
    assert_eq!((&layer["arn"], &native["config"]["layers"].as_array().unwrap().len()), (arns[0], &2));
    let key = api.store.keys().code(layer["code_sha256"].as_str().unwrap(), CodeType::Zip);
    assert!(api.store.get(&key, 1 << 20).await.unwrap().is_some());
    let mut other = json!({"code": "def handler(event:, context:) = 1", "config": native["config"]});
    other["config"]["handler"] = json!("handler");
    other["config"]["layers"][0]["arn"] = json!(layer_arn("other:1"));
    let (status, slug) = api.put("/v1/functions/hello", other.clone()).await.problem();
    assert_eq!((status, slug.as_str()), (422, "invalid_field"));
    let one_shot = json!({"code": "1", "config": {"layers": native["config"]["layers"]}});
    assert_eq!(api.post("/v1/run", one_shot).await.problem().0, 422);
    other["config"]["layers"] = native["config"]["layers"].clone();
    let put = api.put("/v1/functions/hello", other).await.json();
    assert_eq!((&put["version"], &put["config"]["layers"]), (&json!(2), &native["config"]["layers"]));
    // Whoever asks anew can't have what is deleted.
    let told = api.wire_put(&configuration, json!({"Layers": arns})).await.refusal();
    assert_eq!(told.2, format!("Layer version {} does not exist.", layer_arn("a:1")));
    let none = api.wire_put(&configuration, json!({"Layers": []})).await.shown(200);
    assert_eq!(none.get("Layers"), None);
    let version = api.wire_get(&format!("{FUNCTIONS}/hello/configuration?Qualifier=1")).await.shown(200);
    assert_eq!(version["Layers"], shown);
}

#[tokio::test]
async fn layers_that_can_not_be_are_refused_as_recorded() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    for name in ["a", "b", "b"] {
        api.publish_layer(name, json!({})).await;
    }
    let six: Vec<String> = (1..=6).map(|number| layer_arn(&format!("a:{number}"))).collect();
    let abroad = layer_arn("a:1").replace("us-east-1", "eu-west-1");
    let [none, foreign] = [layer_arn("a:7"), layer_arn("a:1").replace("000000000000", "111122223333")];
    let both = [layer_arn("b:1"), layer_arn("b:2")];
    let twice = format!(
        "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {} are \
         versions of the same layer.",
        both[0], both[1]
    );
    for (layers, code, text) in [
        (json!(six), "InvalidParameterValueException", "Cannot reference more than 5 layers.".to_owned()),
        (json!([none]), "InvalidParameterValueException", format!("Layer version {none} does not exist.")),
        (json!([foreign]), "InvalidParameterValueException", format!("Layer version {foreign} does not exist.")),
        (json!(both), "InvalidParameterValueException", twice),
        (
            json!([abroad]),
            "InvalidParameterValueException",
            "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.".to_owned(),
        ),
        (json!([layer_arn("a")]), "ValidationException", format!("Value '[{}]' at 'layers'", layer_arn("a"))),
    ] {
        let mut create = to_create("new");
        create["Layers"] = layers.clone();
        let configuration = format!("{FUNCTIONS}/hello/configuration");
        for told in [
            api.wire_post(FUNCTIONS, create).await.refusal(),
            api.wire_put(&configuration, json!({"Layers": layers})).await.refusal(),
        ] {
            assert_eq!((told.0, told.1.as_str()), (400, code), "{layers}: {}", told.2);
            assert!(told.2.contains(&text), "{layers}: {}", told.2);
        }
    }
    assert_eq!(api.wire_get(&format!("{FUNCTIONS}/new")).await.status, 404);
}

#[tokio::test]
async fn code_and_layers_are_not_too_much_together() {
    let api = Api::start().await;
    let arns = [api.publish_layer("a", json!({})).await, api.publish_layer("b", json!({})).await]
        .map(|published| published["LayerVersionArn"].clone());
    // As if there were so much in one of them that one byte is left for the other and the code.
    let key = api.store.keys().layer_version(&"a".parse().unwrap(), 1);
    let stored = api.store.get(&key, 1 << 20).await.unwrap().unwrap();
    let mut large: Value = serde_json::from_slice(&stored.bytes).unwrap();
    large["unpacked_bytes"] = json!(262_143_999);
    api.store.put(&key, large.to_string().into_bytes(), JSON, Condition::Always).await.unwrap();
    let mut create = to_create("hello");
    create["Layers"] = json!(arns);
    let refused = |told: (u16, String, String)| {
        let text = "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual \
                    size is 262144";
        assert!(told.0 == 400 && told.2.starts_with(text), "{told:?}");
    };
    refused(api.wire_post(FUNCTIONS, create.clone()).await.refusal());
    create["Layers"] = json!(arns[1..]);
    api.wire_post(FUNCTIONS, create).await.shown(201);
    let configuration = format!("{FUNCTIONS}/hello/configuration");
    refused(api.wire_put(&configuration, json!({"Layers": arns})).await.refusal());
    // The code of a function that has no room for more.
    large["unpacked_bytes"] = json!(262_143_900);
    api.store.put(&key, large.to_string().into_bytes(), JSON, Condition::Always).await.unwrap();
    api.wire_put(&configuration, json!({"Layers": arns})).await.shown(200);
    let longer = super::zip(&format!("{}def handler(event:, context:) = 1", "#".repeat(99)));
    let code = json!({"ZipFile": STANDARD.encode(longer)});
    refused(api.wire_put(&format!("{FUNCTIONS}/hello/code"), code).await.refusal());
}
