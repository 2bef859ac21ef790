//! Names that AWS's operations were recorded to refuse, and how.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FUNCTIONS, encoded, to_create};
use crate::fixture::Api;

/// A name, and what comes of it: status, code, and what the text has in it.
#[derive(Deserialize)]
struct Case {
    function: String,
    qualifier: Option<String>,
    all: Expected,
    delete: Option<Expected>,
    invoke: Option<Expected>,
}

type Expected = (u16, Option<String>, String);

/// `a*3` stands for `aaa`.
fn repeated(text: &str) -> String {
    match text.split_once('*') {
        Some((rest, times)) if !times.is_empty() => {
            let (before, letter) = rest.split_at(rest.len() - 1);
            format!("{before}{}", letter.repeat(times.parse().unwrap()))
        }
        _ => text.to_owned(),
    }
}

#[tokio::test]
async fn every_name_is_refused_as_recorded() {
    let api = Api::start().await;
    let raw: Vec<Value> = serde_json::from_str(include_str!("names.json")).unwrap();
    for row in raw {
        let may_create = row.get("create").is_none_or(|create| !create.is_null());
        let case: Case = serde_json::from_value(row.clone()).unwrap();
        let function = repeated(&case.function);
        let qualifier = case.qualifier.as_deref().map(repeated);
        let query = qualifier.as_ref().map(|q| format!("?Qualifier={}", encoded(q))).unwrap_or_default();
        let path = format!("{FUNCTIONS}/{}", encoded(&function));
        let of_delete = case.delete.clone().unwrap_or_else(|| case.all.clone());
        let of_invoke = case.invoke.clone().unwrap_or_else(|| case.all.clone());
        let mut calls = vec![
            (Method::GET, format!("{path}{query}"), Value::Null, case.all.clone()),
            (Method::GET, format!("{path}/configuration{query}"), Value::Null, case.all.clone()),
            (Method::DELETE, format!("{path}{query}"), Value::Null, of_delete),
            (Method::POST, format!("{path}/invocations{query}"), json!({}), of_invoke),
        ];
        if may_create {
            let name = qualifier.map_or(function.clone(), |qualifier| format!("{function}:{qualifier}"));
            let expected = match row.get("create") {
                Some(create) => serde_json::from_value(create.clone()).unwrap(),
                None => case.all.clone(),
            };
            calls.push((Method::POST, FUNCTIONS.to_owned(), to_create(&name), expected));
        }
        for (method, path, body, (status, code, text)) in calls {
            let body = Some(&body).filter(|body| !body.is_null());
            let answer = api.wire(method.clone(), &path, body).await;
            match code {
                Some(code) => {
                    let (told_status, told_code, told) = answer.refusal();
                    assert_eq!((told_status, told_code), (status, code), "{method} {path}: {answer:?}");
                    assert!(told.contains(&text), "{method} {path}: {told}");
                }
                None => assert_eq!(answer.shown(status)["FunctionArn"], json!(text), "{method} {path}"),
            }
        }
    }
}
