//! The table against what the template's roles grant.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::table::{CALLS, Program, Resource};
use crate::fixtures::template;

/// A part of a statement that may be one or a list.
fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

/// An ARN as the template puts it together: that of the queue is `${Queue.Arn}`.
fn arn(value: &Value) -> String {
    if let Some(text) = value["Fn::Sub"].as_str() {
        return text.to_owned();
    }
    match value["Fn::GetAtt"].as_array() {
        Some(path) => {
            format!("${{{}}}", path.iter().map(|part| part.as_str().unwrap()).collect::<Vec<_>>().join("."))
        }
        None => value.to_string(),
    }
}

/// Each action and resource that a role grants; all are granted without a condition, and nothing is denied.
fn granted(role: &str) -> BTreeSet<(String, String)> {
    let properties = &template::whole()["Resources"][role]["Properties"];
    assert!(properties.get("ManagedPolicyArns").is_none(), "{properties}");
    let policies = properties["Policies"].as_array().unwrap();
    let statements = policies.iter().flat_map(|policy| each(&policy["PolicyDocument"]["Statement"]));
    let mut grants = BTreeSet::new();
    for statement in statements {
        if statement.get("Fn::If").is_some() {
            assert_eq!(*statement, destinations(), "{role}");
            continue;
        }
        let mut parts: Vec<&str> = statement.as_object().unwrap().keys().map(String::as_str).collect();
        parts.retain(|part| *part != "Sid");
        parts.sort_unstable();
        assert_eq!(
            (parts, &statement["Effect"]),
            (vec!["Action", "Effect", "Resource"], &Value::from("Allow"))
        );
        for action in each(&statement["Action"]) {
            for resource in each(&statement["Resource"]) {
                let grant = (action.as_str().unwrap().to_owned(), arn(resource));
                assert!(grants.insert(grant.clone()), "{role} is granted {grant:?} twice");
            }
        }
    }
    grants
}

/// The one statement that depends on who deploys: queues that they name for functions to tell.
fn destinations() -> Value {
    let queues = json!({"Fn::Split": [",", {"Ref": "DestinationArns"}]});
    let send = json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queues});
    json!({"Fn::If": ["HasDestinations", send, {"Ref": "AWS::NoValue"}]})
}

/// What the calls of a program need.
fn needed(program: Program) -> BTreeSet<(String, String)> {
    let arn = |resource| match resource {
        Resource::Queue => "${Queue.Arn}".to_owned(),
        Resource::DeadLetterQueue => "${DeadLetterQueue.Arn}".to_owned(),
        Resource::Bucket => "${Bucket.Arn}".to_owned(),
        Resource::Keys(prefix) => format!("${{Bucket.Arn}}/{prefix}*"),
        Resource::Tasks => {
            "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/${Cluster}/*".to_owned()
        }
    };
    let calls = CALLS.iter().filter(|call| call.program == program);
    calls
        .map(|call| match (call.action, call.resource) {
            // It is the bucket that is listed, whichever keys are asked for.
            ("s3:ListBucket", Resource::Keys(_)) => (call.action.to_owned(), arn(Resource::Bucket)),
            (action, resource) => (action.to_owned(), arn(resource)),
        })
        .collect()
}

#[test]
fn the_roles_grant_what_the_table_needs_and_nothing_else() {
    assert_eq!(granted("ApiRole"), needed(Program::Api));
    assert_eq!(granted("WorkerRole"), needed(Program::Worker));
}

#[test]
fn each_program_runs_with_its_own_role() {
    let resources = &template::whole()["Resources"];
    for (task, role) in [("ApiTask", "ApiRole"), ("WorkerTask", "WorkerRole"), ("JumpTask", "JumpRole")] {
        let of_task = &resources[task]["Properties"]["TaskRoleArn"];
        assert_eq!(arn(of_task), format!("${{{role}.Arn}}"), "{task}");
    }
}

#[test]
fn the_networks_way_to_s3_lets_through_what_the_table_needs() {
    let policy = &template::whole()["Resources"]["S3Endpoint"]["Properties"]["PolicyDocument"]["Fn::If"][1];
    let statement = &policy["Statement"][0];
    let resources: Vec<String> = each(&statement["Resource"]).into_iter().map(arn).collect();
    assert_eq!(resources, ["${Bucket.Arn}", "${Bucket.Arn}/*"]);
    let passed: BTreeSet<&str> = each(&statement["Action"]).into_iter().filter_map(Value::as_str).collect();
    let actions = CALLS.iter().map(|call| call.action).filter(|action| action.starts_with("s3:"));
    assert_eq!(passed, actions.collect());
}
