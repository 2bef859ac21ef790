//! The template of the system on AWS, and what of it is deployed on an emulator of CloudFormation.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::fleet::repository;

/// The resource types that the emulator refuses. What these resources say is asserted in `deployed`.
pub const UNKNOWN_TYPES: [&str; 4] = [
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
];

/// They refuse what does not come over TLS, which the emulator does not speak.
pub const ONLY_OVER_TLS: [&str; 2] = ["QueuePolicy", "DeadLetterQueuePolicy"];

/// The template as JSON, functions in their long form, as the AWS CLI reads it.
pub fn whole() -> &'static Value {
    static WHOLE: OnceLock<Value> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let program = "import json, sys\n\
            from awscli.customizations.cloudformation.yamlhelper import yaml_parse\n\
            print(json.dumps(yaml_parse(open(sys.argv[1]).read())))";
        let mut python = Command::new(repository().join("target/python/bin/python"));
        python.args(["-c", program]).arg(repository().join("deploy/aws/badlambda.yaml"));
        let ended = python.output().expect("tests/run installs the AWS CLI");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        serde_json::from_slice(&ended.stdout).unwrap()
    })
}

/// The template less what the emulator does not have.
pub fn reduced() -> Value {
    let left_out = |name: &str, resource: &Value| {
        is_unknown(resource) || is_alarm_on_an_expression(resource) || ONLY_OVER_TLS.contains(&name)
    };
    with_numbers(without(whole().clone(), left_out))
}

/// CloudFormation hands a parameter's number over as a string, which the emulator's ECS does not take for a number: it
/// gets the default itself.
pub fn with_numbers(mut template: Value) -> Value {
    let parameters = template["Parameters"].clone();
    for service in template["Resources"].as_object_mut().unwrap().values_mut() {
        if service["Type"] == "AWS::ECS::Service" {
            put_numbers(service, &parameters);
        }
    }
    template
}

/// Whether a resource is of a type that the emulator refuses.
pub fn is_unknown(resource: &Value) -> bool {
    UNKNOWN_TYPES.iter().any(|unknown| resource["Type"] == *unknown)
}

/// The emulator's alarms are on one metric each.
pub fn is_alarm_on_an_expression(resource: &Value) -> bool {
    resource["Type"] == "AWS::CloudWatch::Alarm" && resource["Properties"].get("Metrics").is_some()
}

/// A template without some resources, and without what lists of others name them.
pub fn without(mut template: Value, left_out: impl Fn(&str, &Value) -> bool) -> Value {
    let resources = template["Resources"].as_object_mut().unwrap();
    let gone = resources.iter().filter(|(name, resource)| left_out(name, resource));
    let gone: Vec<String> = gone.map(|(name, _)| name.clone()).collect();
    resources.retain(|name, _| !gone.contains(name));
    forget(&mut template, &gone);
    template
}

fn forget(value: &mut Value, gone: &[String]) {
    let is_gone =
        |value: &Value| value["Ref"].as_str().is_some_and(|name| gone.iter().any(|gone| gone == name));
    match value {
        Value::Array(items) => {
            items.retain(|item| !is_gone(item));
            items.iter_mut().for_each(|item| forget(item, gone));
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| forget(field, gone)),
        _ => {}
    }
}

fn put_numbers(value: &mut Value, parameters: &Value) {
    let parameter = value["Ref"].as_str().map(|name| &parameters[name]);
    if let Some(parameter) = parameter.filter(|parameter| parameter["Type"] == "Number") {
        *value = parameter["Default"].clone();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| put_numbers(item, parameters)),
        Value::Object(fields) => fields.values_mut().for_each(|field| put_numbers(field, parameters)),
        _ => {}
    }
}
