//! AWS Lambda's wire API, spoken to by plain HTTP.

mod aliases;
mod event_sources;
mod functions;
mod hostile_headers;
mod invoke;
mod layered_functions;
mod layers;
mod limits;
mod names;
mod rest;
mod unknown;
mod versions;

use badlambda_shared::function::package::Packer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::fixture::{Answer, Api, send_unchecked};

const FUNCTIONS: &str = "/2015-03-31/functions";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// The ARN of a function, with what follows its name.
fn arn(rest: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{rest}")
}

/// A zip with this code as `function.rb`.
fn zip(code: &str) -> Vec<u8> {
    let mut zip = Packer::default();
    zip.file("function.rb", code.as_bytes(), false).unwrap();
    zip.finish().unwrap()
}

/// What CreateFunction takes to make a function.
fn to_create(name: &str) -> Value {
    let code = "def handler(event:, context:) = event";
    json!({
        "FunctionName": name, "Role": ROLE, "Runtime": "ruby3.4", "Handler": "function.handler",
        "Code": {"ZipFile": STANDARD.encode(zip(code))},
    })
}

/// Percent-encoded as clients do it.
fn encoded(segment: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    segment.bytes().map(encode).collect()
}

impl Answer {
    /// Status, code and text of a refusal, which header and body must agree on.
    fn refusal(&self) -> (u16, String, String) {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        let code = self.headers["x-amzn-errortype"].clone();
        let body = self.json();
        let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let has_capital = matches!(
            code.as_str(),
            "ResourceNotFoundException" | "AccessDeniedException" | "ServiceException"
        );
        let message = if has_capital { "Message" } else { "message" };
        assert!(members.contains(&message), "{self:?}");
        (self.status.as_u16(), code, body[message].as_str().unwrap().to_owned())
    }

    /// The answer's body, which has this status.
    fn shown(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.headers["x-amzn-requestid"].len(), 36);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

impl Api {
    async fn wire(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path);
        send_unchecked(with(request, body)).await
    }

    async fn wire_get(&self, path: &str) -> Answer {
        self.wire(Method::GET, path, None).await
    }

    async fn wire_post(&self, path: &str, body: Value) -> Answer {
        self.wire(Method::POST, path, Some(&body)).await
    }

    async fn wire_put(&self, path: &str, body: Value) -> Answer {
        self.wire(Method::PUT, path, Some(&body)).await
    }

    async fn wire_delete(&self, path: &str) -> Answer {
        self.wire(Method::DELETE, path, None).await
    }

    /// Makes a function, and answers its configuration.
    async fn wire_create(&self, name: &str) -> Value {
        self.wire_post(FUNCTIONS, to_create(name)).await.shown(201)
    }
}

fn with(request: RequestBuilder, body: Option<&Value>) -> RequestBuilder {
    match body {
        Some(body) => request.json(body),
        None => request,
    }
}
