//! What else is kept of a function: tags, concurrency, event-invoke configs, policies; and what has one answer alone.

use reqwest::Method;
use serde_json::{Value, json};

use super::{FUNCTIONS, arn, encoded};
use crate::fixture::Api;

/// A call with what its answer has: status, and of a refusal the code and the text, else some members.
struct Expected(u16, &'static str, String);

async fn refused(api: &Api, method: Method, path: &str, body: Option<Value>, expected: Expected) {
    let Expected(status, code, text) = expected;
    let answer = api.wire(method.clone(), path, body.as_ref()).await;
    let (told_status, told_code, told) = answer.refusal();
    assert_eq!((told_status, told_code.as_str()), (status, code), "{method} {path}: {told}");
    assert!(told.contains(&text), "{method} {path}: {told}");
}

const NOT_FOUND: &str = "ResourceNotFoundException";
const INVALID: &str = "InvalidParameterValueException";
const VALIDATION: &str = "ValidationException";

#[tokio::test]
async fn tags_are_added_and_removed() {
    let api = Api::start().await;
    let created = api.wire_create("hello").await;
    let path = format!("/2017-03-31/tags/{}", encoded(&arn("hello")));
    assert_eq!(api.wire_get(&path).await.shown(200), json!({"Tags": {}}));
    assert_eq!(api.wire_post(&path, json!({"Tags": {"a": "1", "b": "2"}})).await.shown(204), Value::Null);
    api.wire_post(&path, json!({"Tags": {"b": "3"}})).await.shown(204);
    assert_eq!(api.wire_get(&path).await.shown(200), json!({"Tags": {"a": "1", "b": "3"}}));
    let shown = api.wire_get(&format!("{FUNCTIONS}/hello")).await.shown(200);
    assert_eq!(shown["Tags"], json!({"a": "1", "b": "3"}));
    assert_ne!(shown["Configuration"]["RevisionId"], created["RevisionId"]);
    api.wire_delete(&format!("{path}?tagKeys=a&tagKeys=none")).await.shown(204);
    assert_eq!(api.wire_get(&path).await.shown(200), json!({"Tags": {"b": "3"}}));
    let many: Value = (0..50).map(|n| (format!("k{n}"), json!("v"))).collect();
    let limit = Expected(400, INVALID, "Number of tags exceeds resource tag limit.".to_owned());
    refused(&api, Method::POST, &path, Some(json!({"Tags": many})), limit).await;
    assert_eq!(api.wire_get(&path).await.shown(200), json!({"Tags": {"b": "3"}}));
    let nothing = "An error occurred and the request cannot be processed.".to_owned();
    refused(&api, Method::POST, &path, Some(json!({"Tags": {}})), Expected(400, INVALID, nothing)).await;
    let none = "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null".to_owned();
    refused(&api, Method::DELETE, &path, None, Expected(400, VALIDATION, none)).await;
    let missing = format!("/2017-03-31/tags/{}", encoded(&arn("none")));
    let told = format!("Function not found: {}", arn("none"));
    refused(&api, Method::GET, &missing, None, Expected(404, NOT_FOUND, told)).await;
    let version = format!("/2017-03-31/tags/{}", encoded(&arn("hello:1")));
    let told = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
    refused(&api, Method::GET, &version, None, Expected(400, INVALID, told.to_owned())).await;
    let other = encoded("arn:aws:sqs:us-east-1:000000000000:q");
    let at = Expected(400, VALIDATION, "at 'resource'".to_owned());
    refused(&api, Method::GET, &format!("/2017-03-31/tags/{other}"), None, at).await;
}

#[tokio::test]
async fn concurrency_is_kept() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    let (put, get) = ("/2017-10-31/functions/hello/concurrency", "/2019-09-30/functions/hello/concurrency");
    assert_eq!(api.wire_get(get).await.shown(200), json!({}));
    let seven = json!({"ReservedConcurrentExecutions": 7});
    assert_eq!(api.wire_put(put, seven.clone()).await.shown(200), seven);
    assert_eq!(api.wire_get(get).await.shown(200), seven);
    assert_eq!(api.wire_get(&format!("{FUNCTIONS}/hello")).await.shown(200)["Concurrency"], seven);
    let account = api.wire_get("/2016-08-19/account-settings").await.shown(200);
    assert_eq!(account["AccountLimit"]["UnreservedConcurrentExecutions"], 993);
    assert_eq!(account["AccountUsage"]["FunctionCount"], 1);
    let too_many = json!({"ReservedConcurrentExecutions": 901});
    let answer = api.wire_put(put, too_many).await;
    assert_eq!((answer.refusal().0, answer.json().get("Type")), (400, None));
    let negative = json!({"ReservedConcurrentExecutions": -1});
    assert_eq!(api.wire_put(put, negative).await.refusal().1, VALIDATION);
    assert_eq!(api.wire_delete(put).await.shown(204), Value::Null);
    assert_eq!(api.wire_get(get).await.shown(200), json!({}));
    let none = "/2017-10-31/functions/none/concurrency";
    let told = format!("Function not found: {}", arn("none:$LATEST"));
    refused(&api, Method::PUT, none, Some(seven.clone()), Expected(404, NOT_FOUND, told)).await;
    let qualified = format!("/2017-10-31/functions/{}/concurrency", encoded(&arn("hello:1")));
    let told = "This operation is permitted on Lambda functions only.".to_owned();
    refused(&api, Method::PUT, &qualified, Some(seven), Expected(400, INVALID, told)).await;
}

#[tokio::test]
async fn event_invoke_configs_are_replaced_and_merged() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    let path = "/2019-09-25/functions/hello/event-invoke-config";
    let none = format!("The function {} doesn't have an EventInvokeConfig", arn("hello:$LATEST"));
    for method in [Method::GET, Method::DELETE] {
        refused(&api, method, path, None, Expected(404, NOT_FOUND, none.clone())).await;
    }
    refused(&api, Method::POST, path, Some(json!({})), Expected(404, NOT_FOUND, none.clone())).await;
    let queue = "arn:aws:sqs:us-east-1:000000000000:q";
    let config = json!({
        "MaximumRetryAttempts": 1, "DestinationConfig": {"OnSuccess": {"Destination": queue}},
    });
    let put = api.wire_put(path, config).await.shown(200);
    assert!(put["LastModified"].is_f64(), "{put}");
    let expected = json!({
        "FunctionArn": arn("hello:$LATEST"), "LastModified": put["LastModified"], "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnSuccess": {"Destination": queue}, "OnFailure": {}},
    });
    assert_eq!(put, expected);
    let merged = api.wire_post(path, json!({"MaximumEventAgeInSeconds": 60})).await.shown(200);
    assert_eq!([&merged["MaximumRetryAttempts"], &merged["MaximumEventAgeInSeconds"]], [1, 60]);
    assert_eq!(merged["DestinationConfig"], put["DestinationConfig"]);
    let replaced = api.wire_put(path, json!({"MaximumEventAgeInSeconds": 90})).await.shown(200);
    assert_eq!(replaced.get("MaximumRetryAttempts"), None);
    assert_eq!(replaced["DestinationConfig"], json!({"OnSuccess": {}, "OnFailure": {}}));
    let list = api.wire_get(&format!("{path}/list")).await.shown(200);
    assert_eq!(list, json!({"FunctionEventInvokeConfigs": [replaced]}));
    let itself = json!({"DestinationConfig": {"OnFailure": {"Destination": arn("hello")}}});
    let told = "You can't specify the function as a destination for itself.".to_owned();
    refused(&api, Method::PUT, path, Some(itself), Expected(400, INVALID, told)).await;
    let missing = json!({"DestinationConfig": {"OnFailure": {"Destination": arn("none")}}});
    let told = format!("The destination ARN {} is invalid.", arn("none"));
    refused(&api, Method::PUT, path, Some(missing), Expected(400, INVALID, told)).await;
    let service = "arn:aws:ec2:us-east-1:000000000000:i";
    let other = json!({"DestinationConfig": {"OnSuccess": {"Destination": service}}});
    let told = format!(
        "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={service}), onFailure=null) is \
         invalid."
    );
    refused(&api, Method::PUT, path, Some(other), Expected(400, INVALID, told)).await;
    let no_arn = json!({"DestinationConfig": {"OnFailure": {"Destination": "q"}}});
    let told = "at 'destinationConfig.onFailure.destination'".to_owned();
    refused(&api, Method::PUT, path, Some(no_arn), Expected(400, VALIDATION, told)).await;
    let told = "You must specify at least one of error handling or destination setting.".to_owned();
    refused(&api, Method::PUT, path, Some(json!({})), Expected(400, INVALID, told)).await;
    let told = "The function doesn't exist.".to_owned();
    let alias = format!("{path}?Qualifier=live");
    let empty = Some(json!({"DestinationConfig": {"OnSuccess": {}}}));
    refused(&api, Method::PUT, &alias, empty.clone(), Expected(404, NOT_FOUND, told)).await;
    api.wire(Method::PUT, path, empty.as_ref()).await.shown(200);
    assert_eq!(api.wire_delete(path).await.shown(204), Value::Null);
    refused(&api, Method::GET, path, None, Expected(404, NOT_FOUND, none)).await;
}

#[tokio::test]
async fn policies_are_kept_by_qualifier() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    let path = format!("{FUNCTIONS}/hello/policy");
    let none = "The resource you requested does not exist.".to_owned();
    refused(&api, Method::GET, &path, None, Expected(404, NOT_FOUND, none)).await;
    let told = "No policy is associated with the given resource.".to_owned();
    refused(&api, Method::DELETE, &format!("{path}/s3"), None, Expected(404, NOT_FOUND, told)).await;
    let add = json!({
        "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::b",
    });
    let added = api.wire_post(&path, add.clone()).await.shown(201);
    let statement = json!({
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn("hello"),
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}},
    });
    let parsed = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
    assert_eq!(parsed(&added["Statement"]), statement);
    let policy = api.wire_get(&path).await.shown(200);
    let expected = json!({"Version": "2012-10-17", "Id": "default", "Statement": [statement]});
    assert_eq!(parsed(&policy["Policy"]), expected);
    let told = "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing \
                statement.";
    let exists = Expected(409, "ResourceConflictException", told.to_owned());
    refused(&api, Method::POST, &path, Some(add.clone()), exists).await;
    let with = |change: Value| {
        let mut add = add.clone();
        add.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Some(add)
    };
    for (query, change, status, code, text) in [
        ("", json!({"StatementId": "a b"}), 400, VALIDATION, "at 'statementId'".to_owned()),
        (
            "",
            json!({"StatementId": "x", "Principal": "invalid.nowhere.com"}),
            400,
            INVALID,
            "The provided principal was invalid. Please check the principal and try again.".to_owned(),
        ),
        (
            "?Qualifier=%24LATEST",
            json!({}),
            400,
            INVALID,
            "We currently do not support adding policies for $LATEST.".to_owned(),
        ),
        ("?Qualifier=42", json!({}), 404, NOT_FOUND, format!("Function not found: {}", arn("hello:42"))),
        (
            "?Qualifier=live",
            json!({}),
            404,
            NOT_FOUND,
            format!("Cannot find alias arn: {}", arn("hello:live")),
        ),
        (
            "",
            json!({"StatementId": "x", "RevisionId": "x"}),
            412,
            "PreconditionFailedException",
            "Call the GetPolicy API to retrieve the latest Revision Id".to_owned(),
        ),
    ] {
        let path = format!("{path}{query}");
        refused(&api, Method::POST, &path, with(change), Expected(status, code, text)).await;
    }
    let told = "Statement SID is not found in resource policy.".to_owned();
    refused(&api, Method::DELETE, &format!("{path}/other"), None, Expected(404, NOT_FOUND, told)).await;
    assert_eq!(api.wire_delete(&format!("{path}/s3")).await.shown(204), Value::Null);
    assert_eq!(api.wire_get(&path).await.refusal().0, 404);
    let told = format!("No policy found for: {}", arn("none"));
    let none = format!("{FUNCTIONS}/none/policy/s3");
    refused(&api, Method::DELETE, &none, None, Expected(404, NOT_FOUND, told)).await;
}

#[tokio::test]
async fn what_has_one_answer_has_it() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    for (path, expected) in [
        ("/2020-06-30/functions/hello/code-signing-config", json!({})),
        ("/2024-08-31/functions/hello/recursion-config", json!({"RecursiveLoop": "Terminate"})),
        (
            "/2021-07-20/functions/hello/runtime-management-config",
            json!({"UpdateRuntimeOn": "Auto", "FunctionArn": arn("hello")}),
        ),
        (
            "/2019-09-30/functions/hello/provisioned-concurrency?List=ALL",
            json!({"ProvisionedConcurrencyConfigs": []}),
        ),
        ("/2021-10-31/functions/hello/urls", json!({"FunctionUrlConfigs": []})),
    ] {
        assert_eq!(api.wire_get(path).await.shown(200), expected, "{path}");
        assert_eq!(api.wire_get(&path.replace("hello", "none")).await.refusal().0, 404, "{path}");
    }
    let recursion = "/2024-08-31/functions/hello/recursion-config";
    let allow = json!({"RecursiveLoop": "Allow"});
    assert_eq!(api.wire_put(recursion, allow.clone()).await.shown(200), allow);
    assert_eq!(api.wire_get(recursion).await.shown(200), allow);
    let told = "Member must satisfy enum value set: [Terminate, Allow]".to_owned();
    let other = Some(json!({"RecursiveLoop": "x"}));
    refused(&api, Method::PUT, recursion, other, Expected(400, VALIDATION, told)).await;
    let told = "No Provisioned Concurrency Config found for this function".to_owned();
    let code = "ProvisionedConcurrencyConfigNotFoundException";
    let provisioned = "/2019-09-30/functions/hello/provisioned-concurrency?Qualifier=1";
    refused(&api, Method::GET, provisioned, None, Expected(404, code, told)).await;
    let url = "/2021-10-31/functions/hello/url";
    let told = "The resource you requested does not exist.".to_owned();
    refused(&api, Method::GET, url, None, Expected(404, NOT_FOUND, told)).await;
    for qualifier in ["1", "%24LATEST"] {
        let at = Expected(400, VALIDATION, "at 'qualifier'".to_owned());
        refused(&api, Method::GET, &format!("{url}?Qualifier={qualifier}"), None, at).await;
    }
    let told = "Function does not exist".to_owned();
    let missing = "/2021-10-31/functions/none/url";
    let body = Some(json!({"AuthType": "NONE"}));
    refused(&api, Method::POST, missing, body, Expected(404, NOT_FOUND, told)).await;
}
