//! Sends every example of the document.

use badlambda_shared::function::package::Packer;
use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::document;
use crate::fixtures::fleet::Fleet;

/// Every operation, so that each finds what it needs.
const ORDER: [&str; 41] = [
    "GetLiveness",
    "GetReadiness",
    "GetMetrics",
    "GetOpenApi",
    "GetToken",
    "CreateFunction",
    "ListFunctions",
    "GetFunction",
    "ExecuteFunction",
    "GetExecution",
    "GetExecutionInput",
    "GetExecutionResult",
    "GetExecutionLogs",
    "ListenToExecution",
    "ReplayExecution",
    "ExecuteBatch",
    "RunOnce",
    "CreateMap",
    "GetMap",
    "GetMapResults",
    "ListMaps",
    "CancelMap",
    "CancelExecution",
    "ListFunctionExecutions",
    "ListExecutions",
    "GetStats",
    "GetFunctionStats",
    "PutFunction",
    "PutAlias",
    "ListVersions",
    "GetVersion",
    "GetVersionCode",
    "DeleteAlias",
    "DeleteVersion",
    "ListDeadLetters",
    "GetDeadLetter",
    "RedriveDeadLetter",
    "DeleteDeadLetter",
    "RedriveDeadLetters",
    "DeleteDeadLetters",
    "DeleteFunction",
];

struct Operation {
    method: Method,
    path: String,
    described: Value,
}

impl Operation {
    /// With the examples of its parameters, and `id` in the place of what only the API knows. Each body is one request.
    async fn send_examples(&self, fleet: &Fleet, id: &str) -> Vec<Value> {
        let mut path = self.path.replace("{id}", id);
        let (mut query, mut headers) = (vec![], vec![]);
        for parameter in self.described["parameters"].as_array().into_iter().flatten() {
            let (name, example) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            match parameter["in"].as_str().unwrap() {
                _ if example.is_null() => {}
                "path" => path = path.replace(&format!("{{{name}}}"), &text),
                "query" => query.push(format!("{name}={text}")),
                _ => headers.push((name, text)),
            }
        }
        assert!(!path.contains('{'), "{path} has a parameter without an example");
        let path = format!("{path}?{}", query.join("&"));
        let contents = self.described["requestBody"]["content"].as_object();
        let bodies =
            contents.into_iter().flatten().map(|(name, content)| Some((name.as_str(), &content["example"])));
        let bodies: Vec<_> = if contents.is_some() { bodies.collect() } else { vec![None] };
        let mut answers = vec![];
        for body in bodies {
            let request = fleet.request(self.method.clone(), &path);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            let answer = match body {
                Some(("application/json", example)) => request.json(example),
                // The document can show none.
                Some((zip @ "application/zip", _)) => request.header("content-type", zip).body(some_zip()),
                Some((name, example)) => {
                    request.header("content-type", name).body(example.as_str().unwrap().to_owned())
                }
                None => request,
            };
            let answer = answer.send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success() || status == 303, "{} {path} {body:?}: {status} {text}", self.method);
            answers.push(serde_json::from_str(&text).unwrap_or_default());
        }
        answers
    }
}

fn some_zip() -> Vec<u8> {
    let mut packer = Packer::default();
    packer.file("function.rb", b"def handler(event:, context:) = { greeting: \"Hello!\" }\n", false).unwrap();
    packer.finish().unwrap()
}

fn operations() -> impl Iterator<Item = Operation> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().clone();
    paths.into_iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().clone().into_iter();
        operations.map(move |(method, described)| {
            let method = method.to_ascii_uppercase().parse().unwrap();
            Operation { method, path: path.clone(), described }
        })
    })
}

#[tokio::test]
async fn every_example_runs() {
    let operations: Vec<Operation> = operations().collect();
    let id_of = |operation: &Operation| operation.described["operationId"].as_str().unwrap().to_owned();
    assert_eq!(operations.iter().map(id_of).collect::<BTreeSet<_>>(), ORDER.map(str::to_owned).into());
    let fleet = Fleet::start().await;
    let (mut executed, mut mapped) = (String::new(), String::new());
    for name in ORDER {
        let id = match name {
            // Its example changes one that is there.
            "PutAlias" => {
                let pointed = fleet.request(Method::PUT, "/v1/functions/hello/aliases/live");
                assert_eq!(pointed.json(&json!({"version": 2})).send().await.unwrap().status(), 200);
                String::new()
            }
            "CancelExecution" => delayed(&fleet).await,
            "GetMap" | "GetMapResults" => mapped.clone(),
            "CancelMap" => long_map(&fleet).await,
            "GetDeadLetter" | "RedriveDeadLetter" | "DeleteDeadLetter" => dead_letter(&fleet).await,
            _ => executed.clone(),
        };
        let operation = operations.iter().find(|operation| id_of(operation) == name).unwrap();
        let answers = operation.send_examples(&fleet, &id).await;
        if name == "ExecuteFunction" {
            let finished = fleet.finished(answers[0]["url"].as_str().unwrap()).await;
            assert_eq!(finished["status"], "succeeded", "{finished}");
            executed = finished["id"].as_str().unwrap().to_owned();
        }
        if name == "CreateMap" {
            mapped = answers[0]["id"].as_str().unwrap().to_owned();
        }
    }
}

/// An execution that nothing but a cancellation ends.
async fn delayed(fleet: &Fleet) -> String {
    let submit = fleet.request(Method::POST, "/v1/functions/hello/executions?delay=900").json(&json!(null));
    let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
    accepted["id"].as_str().unwrap().to_owned()
}

/// A map that has long not finished.
async fn long_map(fleet: &Fleet) -> String {
    let inputs: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    let submit = fleet.request(Method::POST, "/v1/functions/hello/maps").body(inputs);
    let accepted: Value = submit.send().await.unwrap().json().await.unwrap();
    accepted["id"].as_str().unwrap().to_owned()
}

/// A message that was given up.
async fn dead_letter(fleet: &Fleet) -> String {
    let path = fleet.send("1", Some("nobody")).await;
    fleet.finished(&format!("/v1/functions/nobody/executions/{path}")).await;
    loop {
        let page: Value = fleet.get("/v1/dead-letters").await.json().await.unwrap();
        if let Some(letter) = page["dead_letters"].as_array().unwrap().first() {
            return letter["id"].as_str().unwrap().to_owned();
        }
    }
}
