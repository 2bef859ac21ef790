//! What holds for asynchronous invocations, and what a call says beside its event, by AWS's SDK for Rust.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{DestinationConfig, FunctionCode, InvocationType, OnFailure, OnSuccess, Runtime};
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
    let create = lambda.create_function().function_name("hello").role("arn:aws:iam::000000000000:role/r");
    let create = create.runtime(Runtime::from("ruby3.4")).handler("function.handler");
    let code = FunctionCode::builder().zip_file(Blob::new(super::zip(CODE))).build();
    create.code(code).send().await.unwrap();
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

    // Who waits is told, and nobody else.
    let waited = invoke(json!({"n": 2}), InvocationType::RequestResponse).await.unwrap();
    let result: Value = serde_json::from_slice(waited.payload().unwrap().as_ref()).unwrap();
    assert_eq!(result, answer);
    let received = fleet.sqs.receive_message().queue_url(&succeeded).send().await.unwrap();
    assert!(received.messages().is_empty(), "{received:?}");
}
