//! Event source mappings: what is kept of them, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};

use super::arn;
use crate::fixture::Api;

const MAPPINGS: &str = "/2015-03-31/event-source-mappings";

#[tokio::test]
async fn a_mapping_is_kept_changed_and_removed() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    api.wire_create("other").await;
    let queue = api.queue.arn().await.unwrap();
    let request =
        json!({"EventSourceArn": queue, "FunctionName": "hello", "FilterCriteria": {"Filters": []}});
    let created = api.wire_post(MAPPINGS, request.clone()).await.shown(202);
    let uuid = created["UUID"].as_str().unwrap();
    assert!(created["LastModified"].is_f64());
    let expected = json!({
        "UUID": uuid,
        "EventSourceMappingArn": format!("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}"),
        "EventSourceArn": queue, "FunctionArn": arn("hello"), "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0, "LastModified": created["LastModified"], "State": "Enabled",
        "StateTransitionReason": "USER_INITIATED",
    });
    assert_eq!(created, expected);
    let path = format!("{MAPPINGS}/{uuid}");
    assert_eq!(api.wire_get(&path).await.shown(200), expected);

    // One that is enabled is enough.
    let (status, code, text) = api.wire_post(MAPPINGS, request).await.refusal();
    assert_eq!((status, code.as_str()), (409, "ResourceConflictException"), "{text}");
    assert!(text.contains(uuid), "{text}");
    let idle = json!({"EventSourceArn": queue, "FunctionName": "other", "Enabled": false});
    let idle = api.wire_post(MAPPINGS, idle).await.shown(202);
    assert_eq!(idle["State"], "Disabled");
    let idle = format!("{MAPPINGS}/{}", idle["UUID"].as_str().unwrap());
    assert_eq!(api.wire_put(&idle, json!({"Enabled": true})).await.refusal().0, 409);
    assert_eq!(api.wire_put(&path, json!({"Enabled": false})).await.shown(202)["State"], "Disabled");
    let change = json!({"Enabled": true, "BatchSize": 100, "MaximumBatchingWindowInSeconds": 5});
    assert_eq!(api.wire_put(&idle, change).await.shown(202)["BatchSize"], 100);
    let renamed = api.wire_put(&path, json!({"FunctionName": "other:$LATEST"})).await.shown(202);
    assert_eq!((&renamed["FunctionArn"], &renamed["BatchSize"]), (&json!(arn("other:$LATEST")), &json!(10)));

    let listed = async |query: &str| {
        let list = api.wire_get(&format!("{MAPPINGS}{query}")).await.shown(200);
        list["EventSourceMappings"].as_array().unwrap().len()
    };
    let by_queue = format!("?EventSourceArn={queue}");
    assert_eq!((listed("").await, listed(&by_queue).await, listed("?MaxItems=1").await), (2, 2, 1));
    assert_eq!((listed("?FunctionName=other").await, listed("?FunctionName=hello").await), (1, 0));
    let deleted = api.wire(Method::DELETE, &path, None).await.shown(202);
    assert_eq!(deleted["State"], "Deleting");
    for method in [Method::GET, Method::DELETE] {
        let (status, _, text) = api.wire(method, &path, None).await.refusal();
        assert_eq!((status, text.as_str()), (404, "The resource you requested does not exist."));
    }
}

#[tokio::test]
async fn what_a_mapping_can_not_be_is_refused_by_name() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    let queue = api.queue.arn().await.unwrap();
    let refused = async |change: Value| {
        let mut request = json!({"EventSourceArn": queue, "FunctionName": "hello"});
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let (_, code, text) = api.wire_post(MAPPINGS, request).await.refusal();
        format!("{code}: {text}")
    };
    for (change, expected) in [
        (json!({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}), "FilterCriteria"),
        (json!({"ScalingConfig": {"MaximumConcurrency": 2}}), "ScalingConfig"),
        (json!({"FunctionResponseTypes": ["ReportBatchItemFailures"]}), "FunctionResponseTypes"),
        (
            json!({"BatchSiez": 1}),
            "InvalidRequestContentException: Could not parse request body into json: unknown field `BatchSiez`",
        ),
        (
            json!({"BatchSize": 0}),
            "ValidationException: 1 validation error detected: Value '0' at 'batchSize'",
        ),
        (json!({"BatchSize": 11}), "Maximum batch window in seconds must be greater than 0"),
        (json!({"FunctionName": null}), "Value null at 'functionName'"),
        (json!({"FunctionName": "none"}), "InvalidParameterValueException: Function does not exist"),
        (json!({"EventSourceArn": null}), "Unrecognized event source."),
        (json!({"EventSourceArn": "queue"}), "at 'eventSourceArn'"),
        (json!({"EventSourceArn": format!("{queue}-other")}), &format!("use EventSourceArn {queue}.")),
    ] {
        let told = refused(change).await;
        assert!(told.contains(expected), "{told}");
    }
    let list = api.wire_get(MAPPINGS).await.shown(200);
    assert_eq!(list, json!({"EventSourceMappings": []}));
}
