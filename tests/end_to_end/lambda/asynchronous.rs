//! What holds for asynchronous invocations, and what a call says beside its event, by AWS's SDK for Rust.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    DeadLetterConfig, DestinationConfig, FunctionCode, InvocationType, OnFailure, OnSuccess, Runtime,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::programs::Settings;
use crate::fixtures::fleet::Fleet;
use crate::fixtures::queues::{queue, told};

const CODE: &str = "def handler(event:, context:)\n  raise \"no\" if event[\"fails\"]\n  \
                    { arn: context.invoked_function_arn, client: context.client_context, version: context.function_version }\nend\n";

#[tokio::test]
async fn destinations_are_told_of_events_and_a_context_tells_of_its_caller() {
    let fleet = Fleet::start().await;
    let settings = Settings::of(&fleet);
    let lambda = settings.rust(Duration::from_secs(30));
    let (succeeded, success_arn) = queue(&fleet, "succeeded").await;
    let (failed, failure_arn) = queue(&fleet, "failed").await;
    let (dead, dead_arn) = queue(&fleet, "dead").await;
    let create = lambda.create_function().function_name("hello").role("arn:aws:iam::000000000000:role/r");
    let create = create.runtime(Runtime::from("ruby3.4")).handler("function.handler");
    let code = FunctionCode::builder().zip_file(Blob::new(super::zip(CODE))).build();
    let dead_letters = DeadLetterConfig::builder().target_arn(dead_arn).build();
    create.code(code).dead_letter_config(dead_letters).send().await.unwrap();
    let destinations = DestinationConfig::builder()
        .on_success(OnSuccess::builder().destination(success_arn).build())
        .on_failure(OnFailure::builder().destination(failure_arn).build());
    let put = lambda.put_function_event_invoke_config().function_name("hello").maximum_retry_attempts(1);
    put.destination_config(destinations.build()).send().await.unwrap();

    let invoke = |input: Value, kind: InvocationType| {
        let client_context = BASE64_STANDARD.encode(json!({"custom": {"from": "a test"}}).to_string());
        let invoke = lambda.invoke().function_name("hello").payload(Blob::new(input.to_string()));
        invoke.invocation_type(kind).client_context(client_context).send()
    };
    invoke(json!({"n": 1}), InvocationType::Event).await.unwrap();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:hello";
    let answer = json!({"arn": arn, "client": {"custom": {"from": "a test"}}, "version": "$LATEST"});
    let body = told(&fleet, &succeeded).await;
    assert_eq!((&body["requestPayload"], &body["responsePayload"]), (&json!({"n": 1}), &answer));
    assert_eq!(body["responseContext"], json!({"statusCode": 200, "executedVersion": "$LATEST"}));

    invoke(json!({"fails": true}), InvocationType::Event).await.unwrap();
    let body = told(&fleet, &failed).await;
    let context = &body["requestContext"];
    assert_eq!(
        (&context["condition"], &context["approximateInvokeCount"], &body["responsePayload"]["errorMessage"]),
        (&json!("RetriesExhausted"), &json!(2), &json!("no")),
    );

    let received = fleet.sqs.receive_message().queue_url(&dead).wait_time_seconds(20);
    let received = received.message_attribute_names("All").send().await.unwrap();
    let letter = &received.messages()[0];
    assert_eq!(letter.body(), Some(r#"{"fails":true}"#));
    let attribute = |name: &str| {
        let attribute = &letter.message_attributes().unwrap()[name];
        (attribute.data_type(), attribute.string_value().unwrap().to_owned())
    };
    assert_eq!(attribute("RequestID").1, context["requestId"].as_str().unwrap());
    assert_eq!(attribute("ErrorCode"), ("Number", "200".to_owned()));
    assert_eq!(attribute("ErrorMessage"), ("String", "no".to_owned()));

    // Who waits is told, and nobody else.
    let waited = invoke(json!({"n": 2}), InvocationType::RequestResponse).await.unwrap();
    let result: Value = serde_json::from_slice(waited.payload().unwrap().as_ref()).unwrap();
    assert_eq!(result, answer);
    invoke(json!({"fails": true}), InvocationType::RequestResponse).await.unwrap();
    for queue in [&succeeded, &failed, &dead] {
        let received = fleet.sqs.receive_message().queue_url(queue).send().await.unwrap();
        // The letter above is not deleted, but held.
        assert!(received.messages().is_empty(), "{received:?}");
    }
}
