//! What of the template is not deployed on the emulator: that it is no more than has to be, and what it says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fixtures::elsewhere;
use crate::fixtures::stacks::{self, create_from, new_name, upload};
use crate::fixtures::template::{
    self, ONLY_OVER_TLS, UNKNOWN_TYPES, is_alarm_on_an_expression, is_unknown, with_numbers, without,
};

fn resources() -> impl Iterator<Item = (&'static String, &'static Value)> {
    template::whole()["Resources"].as_object().unwrap().iter()
}

/// All names that a value refers to: resources, parameters and AWS's own.
fn references(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match value {
        Value::Array(items) => items.iter().for_each(|item| names.extend(references(item))),
        Value::Object(fields) => {
            names.extend(fields.get("Ref").and_then(Value::as_str).map(str::to_owned));
            names.extend(fields.get("Fn::GetAtt").and_then(|path| path[0].as_str()).map(str::to_owned));
            let text = fields.get("Fn::Sub").and_then(|sub| sub.as_str().or_else(|| sub[0].as_str()));
            let names_in = |text: &str| -> Vec<String> {
                let parts = text.split("${").skip(1);
                parts.map(|rest| rest.split(['.', '}']).next().unwrap().to_owned()).collect()
            };
            names.extend(text.into_iter().flat_map(names_in));
            fields.values().for_each(|field| names.extend(references(field)));
        }
        _ => {}
    }
    names
}

#[test]
fn what_is_left_out_refers_to_what_there_is() {
    let template = template::whole();
    let left_out =
        resources().filter(|(_, resource)| is_unknown(resource) || is_alarm_on_an_expression(resource));
    for (name, resource) in left_out {
        for reference in references(resource) {
            let known =
                ["Resources", "Parameters"].iter().any(|part| template[part].get(&reference).is_some());
            assert!(known || reference.starts_with("AWS::"), "{name} refers to {reference}");
        }
    }
}

#[test]
fn scaling_is_of_the_workers_between_its_bounds() {
    let template = template::whole();
    let of_type = |kind: &str| -> Vec<(&String, &Value)> {
        let of_type = resources().filter(|(_, resource)| resource["Type"] == kind);
        of_type.map(|(name, resource)| (name, &resource["Properties"])).collect()
    };
    let [(target, scaled)] = of_type(UNKNOWN_TYPES[0])[..] else { panic!("more than one service is scaled") };
    assert_eq!(scaled["ResourceId"], json!({"Fn::Sub": "service/${Cluster}/${WorkerService.Name}"}));
    assert_eq!(scaled["ScalableDimension"], "ecs:service:DesiredCount");
    let default = |bound: &str| {
        let parameter = scaled[bound]["Ref"].as_str().unwrap();
        template["Parameters"][parameter]["Default"].as_u64().unwrap()
    };
    assert!(default("MinCapacity") <= default("MaxCapacity"));
    // A policy of steps does nothing by itself: an alarm must call it, and nothing else.
    let policies = of_type(UNKNOWN_TYPES[1]);
    for (name, policy) in &policies {
        assert_eq!(policy["ScalingTargetId"], json!({"Ref": target}), "{name}");
        let calls = |alarm: &&(&String, &Value)| alarm.1["AlarmActions"] == json!([{"Ref": name}]);
        let callers = of_type("AWS::CloudWatch::Alarm").iter().filter(calls).count();
        assert_eq!(callers, usize::from(policy["PolicyType"] == "StepScaling"), "{name}");
    }
    assert!(policies.iter().any(|(_, policy)| policy["PolicyType"] == "TargetTrackingScaling"));
}

#[test]
fn rules_between_security_groups_open_what_listens_there() {
    let rules = resources().filter(|(_, resource)| {
        [UNKNOWN_TYPES[2], UNKNOWN_TYPES[3]].iter().any(|kind| resource["Type"] == *kind)
    });
    let listener = &template::whole()["Resources"]["Listener"]["Properties"]["Port"];
    for (name, rule) in rules {
        let rule = &rule["Properties"];
        let port = match rule["GroupId"]["Ref"].as_str().unwrap() {
            "ApiSecurityGroup" => &json!(8080),
            _ => listener,
        };
        assert_eq!((&rule["FromPort"], &rule["ToPort"]), (port, port), "{name}");
        assert!(rule.get("CidrIp").is_none(), "{name} is not between groups");
    }
}

#[test]
fn an_alarm_on_an_expression_looks_at_one_value_that_is_made_of_its_metrics() {
    for (name, alarm) in resources().filter(|(_, resource)| is_alarm_on_an_expression(resource)) {
        let metrics = alarm["Properties"]["Metrics"].as_array().unwrap();
        let looked_at: Vec<&Value> =
            metrics.iter().filter(|metric| metric.get("ReturnData") != Some(&json!(false))).collect();
        let [value] = looked_at[..] else { panic!("{name} looks at {looked_at:?}") };
        // CloudWatch takes no id that does not begin with a small letter.
        for metric in metrics {
            let id = metric["Id"].as_str().unwrap();
            assert!(id.starts_with(|first: char| first.is_ascii_lowercase()), "{name}: {id}");
            let uses = |other: &Value| other["Expression"].to_string().contains(id);
            assert!(metric == value || metrics.iter().any(uses), "{name}: {id} is used by no expression");
        }
    }
}

#[tokio::test]
#[ignore = "needs the emulator that tests/run starts"]
async fn nothing_is_left_out_that_the_emulator_knows() {
    let url = elsewhere::url().unwrap();
    let refused =
        create_from(&url, &new_name(), &upload(&url, template::whole().clone()).await).await.unwrap_err();
    let (_, unknown) =
        refused.split_once("Unrecognized resource types: [").unwrap_or_else(|| panic!("{refused}"));
    assert_eq!(unknown.split(']').next().unwrap().split(", ").collect::<Vec<_>>(), UNKNOWN_TYPES);

    let known = without(template::whole().clone(), |_, resource| is_unknown(resource));
    let kept = |kept: &str| {
        let alone = |name: &str, resource: &Value| is_alarm_on_an_expression(resource) && name != kept;
        without(known.clone(), alone)
    };
    for (name, _) in resources().filter(|(_, resource)| is_alarm_on_an_expression(resource)) {
        let kept = with_numbers(kept(name));
        let ended = create_from(&url, &new_name(), &upload(&url, kept).await).await.unwrap();
        assert!(ended["reasons"].to_string().contains("metric math"), "{name}: {ended}");
    }
    // Its ECS, in Python, takes no number that comes from a parameter.
    let ended = create_from(&url, &new_name(), &upload(&url, kept("none")).await).await.unwrap();
    assert!(ended["reasons"].to_string().contains("&#x27;str&#x27;"), "{ended}");
}

#[tokio::test]
#[ignore = "needs the emulator that tests/run starts"]
async fn the_queues_refuse_what_does_not_come_over_tls() {
    let url = elsewhere::url().unwrap();
    let mut template = template::reduced();
    for name in ONLY_OVER_TLS {
        template["Resources"][name] = template::whole()["Resources"][name].clone();
    }
    let ended = create_from(&url, &new_name(), &upload(&url, template).await).await.unwrap();
    let sdk = badlambda_tests::addresses::clients(&stacks::emulator(&url));
    let sqs = aws_sdk_sqs::Client::new(sdk.sdk());
    for output in ["QueueUrl", "DeadLetterQueueUrl"] {
        let queue_url = ended["outputs"][output].as_str().unwrap();
        let refused = sqs.receive_message().queue_url(queue_url).send().await.unwrap_err();
        assert_eq!(refused.into_service_error().meta().code(), Some("AccessDenied"), "{output}");
    }
}
