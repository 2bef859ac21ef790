//! What comes of invocations, by requests written by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::fixtures::fleet::Fleet;

const FUNCTIONS: &str = "/2015-03-31/functions";
const CODE: &str = "def handler(event:, context:)\n  puts \"logged\"\n  raise \"some_error_msg\" if event[\"fails\"]\n  \
                    { \"event\" => event, \"id\" => context.aws_request_id }\nend\n";

fn zip(code: &str) -> String {
    STANDARD.encode(super::zip(code))
}

/// A request of AWS Lambda's API, of which the OpenAPI document does not tell.
fn request(fleet: &Fleet, method: Method, path: &str) -> RequestBuilder {
    fleet.http.request(method, format!("{}{path}", fleet.address("api")))
}

async fn shown(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    response.json().await.unwrap()
}

async fn create(fleet: &Fleet) {
    let create = json!({
        "FunctionName": "hello", "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "ruby3.4",
        "Handler": "function.handler", "Code": {"ZipFile": zip(CODE)},
    });
    let created = request(fleet, Method::POST, FUNCTIONS).json(&create).send().await.unwrap();
    assert_eq!(shown(created, 201).await["State"], "Active");
}

async fn invoke(fleet: &Fleet, query: &str, headers: &[(&str, &str)], event: Value) -> Response {
    let mut request = request(fleet, Method::POST, &format!("{FUNCTIONS}/hello/invocations{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.json(&event).send().await.unwrap()
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_invocation_returns_what_ruby_returns() {
    let fleet = Fleet::start().await;
    create(&fleet).await;
    let answer = invoke(&fleet, "", &[("X-Amz-Log-Type", "Tail")], json!({"name": "Ada"})).await;
    let id = header(&answer, "x-amzn-requestid");
    assert_eq!(header(&answer, "x-amz-executed-version"), "$LATEST");
    let tail = STANDARD.decode(header(&answer, "x-amz-log-result")).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    let begin = format!(
        "START RequestId: {id} Version: $LATEST\nlogged\nEND RequestId: {id}\nREPORT RequestId: {id}\t"
    );
    assert!(tail.starts_with(&begin), "{tail}");
    assert_eq!(shown(answer, 200).await, json!({"event": {"name": "Ada"}, "id": id}));
    let failed = invoke(&fleet, "", &[], json!({"fails": true})).await;
    assert_eq!(header(&failed, "x-amz-function-error"), "Unhandled");
    let failed = shown(failed, 200).await;
    assert_eq!(failed["errorType"], "Function<RuntimeError>", "{failed}");
    assert_eq!(failed["errorMessage"], "some_error_msg");
    assert!(failed["stackTrace"][0].as_str().unwrap().contains("function.rb:3:in"), "{failed}");
}

#[tokio::test]
async fn an_event_is_polled_by_its_request_id() {
    let fleet = Fleet::start().await;
    create(&fleet).await;
    let event = [("X-Amz-Invocation-Type", "Event")];
    let answer = invoke(&fleet, "", &event, json!({"n": 1})).await;
    assert_eq!(answer.status(), 202);
    let id = header(&answer, "x-amzn-requestid");
    let ended = fleet.finished(&format!("/v1/functions/hello/executions/{id}")).await;
    assert_eq!(ended["result"], json!({"event": {"n": 1}, "id": id}), "{ended}");
    // What names no version on the queue runs `$LATEST`, too, though it was never published.
    let sent = fleet.send("{\"n\": 2}", Some("hello")).await;
    let ended = fleet.finished(&format!("/v1/functions/hello/executions/{sent}")).await;
    assert_eq!(ended["result"]["event"], json!({"n": 2}), "{ended}");
    assert_eq!(ended["version"], Value::Null);
    let map = fleet.request(Method::POST, "/v1/functions/hello/maps");
    let map = map.header("content-type", "application/x-ndjson").body("{\"n\": 3}\n").send().await.unwrap();
    let map: Value = map.json().await.unwrap();
    let wait = fleet.request(Method::GET, map["url"].as_str().unwrap()).header("prefer", "wait=30");
    let ended: Value = wait.send().await.unwrap().json().await.unwrap();
    assert_eq!((&ended["status"], &ended["succeeded"]), (&json!("finished"), &json!(1)), "{ended}");
}

#[tokio::test]
async fn versions_and_aliases_keep_what_they_are() {
    let fleet = Fleet::start().await;
    create(&fleet).await;
    let post = async |path: &str, body: Value| {
        let path = format!("{FUNCTIONS}/hello{path}");
        shown(request(&fleet, Method::POST, &path).json(&body).send().await.unwrap(), 201).await
    };
    assert_eq!(post("/versions", json!({})).await["Version"], "1");
    post("/aliases", json!({"Name": "live", "FunctionVersion": "1"})).await;
    let code = json!({"ZipFile": zip("def handler(event:, context:) = 2")});
    let path = format!("{FUNCTIONS}/hello/code");
    shown(request(&fleet, Method::PUT, &path).json(&code).send().await.unwrap(), 200).await;
    let latest = invoke(&fleet, "", &[], json!({})).await;
    assert_eq!(shown(latest, 200).await, 2);
    let live = invoke(&fleet, "?Qualifier=live", &[], json!({"old": true})).await;
    assert_eq!(header(&live, "x-amz-executed-version"), "1");
    assert_eq!(shown(live, 200).await["event"], json!({"old": true}));
}
