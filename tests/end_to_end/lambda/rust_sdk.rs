//! What AWS's SDK for Rust sees of a function's life.

use std::collections::HashMap;
use std::fmt::Debug;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::client::Waiters as _;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    AliasRoutingConfiguration, Environment, FunctionCode, InvocationType, LogType, Runtime,
};
use serde_json::{Map, Value, json};

use super::life::{NAME, Zips};
use super::programs::Settings;
use crate::fixtures::fleet::PATIENCE;

/// The client, and the code.
struct Sdk<'a> {
    settings: &'a Settings<'a>,
    client: Client,
    first: Blob,
    second: Blob,
}

/// Lives a function's life.
pub async fn live(settings: &Settings<'_>, zips: &Zips) -> Value {
    let read = |name| Blob::new(std::fs::read(zips.path(name)).unwrap());
    let client = settings.rust(PATIENCE);
    let sdk = Sdk { settings, client, first: read("first.zip"), second: read("second.zip") };
    let mut seen = Map::new();
    sdk.create_and_invoke(&mut seen).await;
    sdk.change(&mut seen).await;
    sdk.put_alias(&mut seen).await;
    sdk.list(&mut seen).await;
    sdk.refuse_and_delete(&mut seen).await;
    seen.into()
}

impl Sdk<'_> {
    async fn create_and_invoke(&self, seen: &mut Map<String, Value>) {
        let created = self.create(NAME).environment(greeting("Hello")).send().await.unwrap();
        seen.insert("created".to_owned(), json!(created.state().unwrap().as_str()));
        self.create("other").send().await.unwrap();
        self.client.wait_until_function_active_v2().function_name(NAME).wait(PATIENCE).await.unwrap();

        let logged = self.invoke(r#"{"name": "Ada"}"#).log_type(LogType::Tail).send().await.unwrap();
        seen.insert("invoked".to_owned(), payload(&logged));
        seen.insert("tail".to_owned(), json!(logged.log_result()));
        let failed = self.invoke("{}").send().await.unwrap();
        let failure = payload(&failed);
        let told = json!([
            failed.status_code(),
            failed.function_error(),
            failure["errorType"],
            failure["errorMessage"]
        ]);
        seen.insert("failed".to_owned(), told);
        let dry_run = self.invoke("{}").invocation_type(InvocationType::DryRun).send().await.unwrap();
        seen.insert("dry_run".to_owned(), json!(dry_run.status_code()));

        let event = self.invoke(r#"{"name": "Eve"}"#).invocation_type(InvocationType::Event);
        let event = event.send().await.unwrap();
        seen.insert("event".to_owned(), json!(event.status_code()));
        let polled = format!("/v1/functions/{NAME}/executions/{}", event.request_id().unwrap());
        seen.insert("polled".to_owned(), self.settings.fleet.finished(&polled).await["result"].clone());
    }

    async fn change(&self, seen: &mut Map<String, Value>) {
        let update = self.client.update_function_configuration().function_name(NAME);
        update.environment(greeting("Good day")).send().await.unwrap();
        self.wait_until_updated().await;
        seen.insert("published".to_owned(), self.publish().await);
        let update = self.client.update_function_code().function_name(NAME);
        update.zip_file(self.second.clone()).send().await.unwrap();
        self.wait_until_updated().await;
        seen.insert("published_again".to_owned(), self.publish().await);
        let versions = [self.run("1").await, self.run("2").await, self.run("$LATEST").await];
        seen.insert("of_versions".to_owned(), json!(versions));
    }

    async fn wait_until_updated(&self) {
        self.client.wait_until_function_updated_v2().function_name(NAME).wait(PATIENCE).await.unwrap();
    }

    async fn publish(&self) -> Value {
        json!(self.client.publish_version().function_name(NAME).send().await.unwrap().version())
    }

    /// All of the weight, so that what is run is no matter of chance.
    async fn put_alias(&self, seen: &mut Map<String, Value>) {
        let weights = AliasRoutingConfiguration::builder().additional_version_weights("2", 1.0).build();
        let create = self.client.create_alias().function_name(NAME).name("live").function_version("1");
        let alias = create.routing_config(weights).send().await.unwrap();
        let weights = alias.routing_config().unwrap().additional_version_weights();
        seen.insert("weights".to_owned(), json!(weights));
        let weighted = self.run("live").await["version"].take();
        let none = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(HashMap::new()));
        let update = self.client.update_alias().function_name(NAME).name("live");
        update.routing_config(none.build()).send().await.unwrap();
        seen.insert("of_alias".to_owned(), json!([weighted, self.run("live").await["version"]]));
    }

    async fn list(&self, seen: &mut Map<String, Value>) {
        let mut listed = self.client.list_functions().into_paginator().page_size(1).send();
        let mut pages = vec![];
        while let Some(page) = listed.next().await {
            pages.push(names(page.unwrap().functions(), |item| item.function_name()));
        }
        seen.insert("functions".to_owned(), json!(pages));
        let list = self.client.list_versions_by_function().function_name(NAME);
        let (mut listed, mut pages) = (list.into_paginator().page_size(1).send(), vec![]);
        while let Some(page) = listed.next().await {
            pages.push(names(page.unwrap().versions(), |item| item.version()));
        }
        seen.insert("versions".to_owned(), json!(pages));
        let list = self.client.list_aliases().function_name(NAME);
        let (mut listed, mut pages) = (list.into_paginator().page_size(1).send(), vec![]);
        while let Some(page) = listed.next().await {
            pages.push(names(page.unwrap().aliases(), |item| item.name()));
        }
        seen.insert("aliases".to_owned(), json!(pages));
    }

    async fn refuse_and_delete(&self, seen: &mut Map<String, Value>) {
        let client = &self.client;
        let put = client.put_function_concurrency().function_name(NAME);
        put.reserved_concurrent_executions(0).send().await.unwrap();
        let reserved = client.get_function_concurrency().function_name(NAME).send().await.unwrap();
        seen.insert("reserved".to_owned(), json!(reserved.reserved_concurrent_executions()));
        let switched_off = self.invoke("{}").send().await;
        client.delete_function_concurrency().function_name(NAME).send().await.unwrap();
        seen.insert("switched_on".to_owned(), self.run("$LATEST").await["version"].take());

        let wrong = "00000000-0000-4000-8000-000000000000";
        let update = client.update_function_code().function_name(NAME).zip_file(self.first.clone());
        let unsupported = client.list_code_signing_configs().send().await;
        let missing = client.get_function().function_name("missing").send().await;
        let taken = self.create(NAME).send().await;
        let runtime = self.create("third").runtime(Runtime::from("ruby1.8")).send().await;
        let unreadable = self.invoke("{").send().await;
        let revision = update.revision_id(wrong).send().await;
        let deleted = client.delete_function().function_name(NAME).send().await.unwrap();
        seen.insert("deleted".to_owned(), json!(deleted.status_code()));
        let gone = self.invoke("{}").send().await;
        let errors = json!({
            "switched_off": code(switched_off, |error| error.is_too_many_requests_exception()),
            // The SDK has no class for it.
            "unsupported": code(unsupported, |_| true),
            "missing": code(missing, |error| error.is_resource_not_found_exception()),
            "taken": code(taken, |error| error.is_resource_conflict_exception()),
            "runtime": code(runtime, |error| error.is_invalid_parameter_value_exception()),
            "payload": code(unreadable, |error| error.is_invalid_request_content_exception()),
            "revision": code(revision, |error| error.is_precondition_failed_exception()),
            "deleted": code(gone, |error| error.is_resource_not_found_exception()),
        });
        seen.insert("errors".to_owned(), errors);
    }

    fn create(&self, name: &str) -> CreateFunctionFluentBuilder {
        let code = FunctionCode::builder().zip_file(self.first.clone()).build();
        let create = self.client.create_function().function_name(name).code(code);
        let create = create.runtime(Runtime::from("ruby3.4")).handler("function.handler");
        create.role("arn:aws:iam::000000000000:role/any")
    }

    fn invoke(&self, event: &str) -> InvokeFluentBuilder {
        self.client.invoke().function_name(NAME).payload(Blob::new(event))
    }

    /// What came of a version or an alias.
    async fn run(&self, qualifier: &str) -> Value {
        let answer = self.invoke(r#"{"name": "Ada"}"#).qualifier(qualifier).send().await.unwrap();
        json!({"version": answer.executed_version(), "payload": payload(&answer)})
    }
}

fn greeting(greeting: &str) -> Environment {
    Environment::builder().variables("GREETING", greeting).build()
}

fn payload(answer: &InvokeOutput) -> Value {
    serde_json::from_slice(answer.payload().unwrap().as_ref()).unwrap()
}

fn names<T>(items: &[T], name: fn(&T) -> Option<&str>) -> Value {
    items.iter().map(|item| json!(name(item))).collect()
}

/// The code of the error, which must be of the class that the SDK has for it.
fn code<T: Debug, E: ProvideErrorMetadata + Debug>(
    called: Result<T, SdkError<E>>,
    is_of_class: fn(&E) -> bool,
) -> Value {
    let failed = called.unwrap_err();
    let error = failed.as_service_error().unwrap_or_else(|| panic!("{failed:?}"));
    assert!(is_of_class(error), "{error:?}");
    json!(error.code())
}
