//! Every call is fed what it must not take. None of it is a failure of ours, and none of it is stored.

use std::time::Duration;

use badlambda_api::openapi_document;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::Api;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
/// Parts of a path that name nothing, as they stand in a request.
const SEGMENTS: [&[u8]; 12] = [
    b"..",
    b".",
    b"%2e%2e",
    b"..%2f..%2fetc",
    b"a%2Fb",
    b"%00",
    b"%0d%0aX-Evil:1",
    b"%ff",
    b"%zz",
    b"%",
    b"$x",
    "é".as_bytes(),
];
const QUERIES: [&str; 8] = [
    "limit=1&limit=2",
    "limit=99999999999999999999",
    "limit=-1",
    "cursor=..%2f..%2f",
    "since=%ff&until=%00",
    "version=%F0%9F%A6%80&delay=1e9",
    "per_second=NaN&dry_run=maybe",
    "%",
];
const HEADERS: [&[u8]; 12] = [
    b"Idempotency-Key: \xff\xfe",
    b"Idempotency-Key: \"",
    b"If-Match: \"",
    b"If-Match: W/",
    b"If-None-Match: \xff",
    b"Last-Event-ID: 1.running.-1",
    b"Prefer: wait=\xff",
    b"Authorization: Bearer \xff",
    b"Content-Encoding: gzip",
    b"Content-Type: application/json; charset=utf-16",
    b"traceparent: 00-\xff",
    b"X-Request-Id: <script>",
];
/// Bodies that are neither JSON, nor Ruby, nor a zip.
const BODIES: [&[u8]; 8] = [
    b"\xff\xfe{\0}\0",
    b"{",
    b"{\"code\": \"1\", \"code\": \"2\"",
    b"{\"code\": \"\xff\"}",
    b"[1, 2,,",
    b"NaN (",
    b"PK\x03\x04\xff\xff\xff\xff",
    b"def (\0",
];
const CONTENT_TYPES: [&str; 5] =
    ["application/json", "application/x-ruby", "application/zip", "application/x-ndjson", "text/xml"];
/// What is no request at all.
const NONSENSE: [&[u8]; 10] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  /  HTTP/1.1\r\n\r\n",
    b"BREW /v1/functions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /v1/functions HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /v1/functions HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n",
    b"POST /v1/functions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/functions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /v1/functions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
];

/// A call of the API.
struct Call {
    method: String,
    /// With `{name}` where a parameter stands.
    path: String,
    /// What its body may be.
    content_types: Vec<String>,
}

/// Every call in the API's document.
fn calls() -> Vec<Call> {
    let document: Value = serde_json::from_str(openapi_document()).unwrap();
    let mut calls = vec![];
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods =
            METHODS.iter().filter_map(|method| Some((method, operations.get(method.to_lowercase())?)));
        for (method, operation) in methods {
            let content = operation["requestBody"]["content"].as_object();
            let content_types = content.into_iter().flat_map(|content| content.keys().cloned()).collect();
            calls.push(Call { method: (*method).to_owned(), path: path.clone(), content_types });
        }
    }
    assert!(calls.len() > 30, "the document has only {} calls", calls.len());
    calls
}

impl Call {
    /// The path, with names that are well formed.
    fn good_path(&self) -> String {
        let values = [("{function}", "hello"), ("{version}", "1"), ("{alias}", "live"), ("{id}", "order-7")];
        values.iter().fold(self.path.clone(), |path, (name, value)| path.replace(name, value))
    }

    /// Paths with each hostile segment in the place of each parameter.
    fn bad_paths(&self) -> Vec<Vec<u8>> {
        let long = "x".repeat(5_000);
        let segments = SEGMENTS.into_iter().chain([long.as_bytes()]);
        let parameters: Vec<&str> = self.path.split('/').filter(|part| part.starts_with('{')).collect();
        let bad = |(segment, parameter): (&[u8], &str)| {
            let (before, after) = self.path.split_once(parameter).unwrap();
            let good = |path: &str| {
                Self { path: path.to_owned(), method: String::new(), content_types: vec![] }.good_path()
            };
            [good(before).as_bytes(), segment, good(after).as_bytes()].concat()
        };
        segments
            .flat_map(|segment| parameters.iter().map(move |parameter| (segment, *parameter)))
            .map(bad)
            .collect()
    }
}

/// What the API answered.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Told {
    /// Refused, and as a problem with a slug and a sentence.
    fn is_refused(&self, what: &str) {
        assert!((400..500).contains(&self.status), "{what}: {self:?}");
        assert!(self.head.contains("application/problem+json"), "{what}: {self:?}");
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        for member in ["type", "title", "detail", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: {problem}");
        }
    }
}

/// Sends these bytes, and reads until the API closes the connection. `None` where it does so without an answer.
async fn send(api: &Api, request: &[u8]) -> Option<Told> {
    let address = api.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may have closed the connection before it has read everything.
    let _ = stream.write_all(request).await;
    let mut bytes = vec![];
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes)).await;
    let _ = read.unwrap_or_else(|_| panic!("no end of the answer to {:?}", String::from_utf8_lossy(request)));
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Told { status, head, body: bytes[end + 4..].to_vec() })
}

async fn ask(api: &Api, method: &str, path: &[u8], headers: &[&[u8]], body: &[u8]) -> Option<Told> {
    let mut request =
        [method.as_bytes(), b" ", path, b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"].concat();
    for header in headers {
        request.extend_from_slice(header);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(body);
    send(api, &request).await
}

/// Everything that the API shows of functions.
async fn functions(api: &Api) -> String {
    api.get("/v1/functions").await.text
}

#[tokio::test]
async fn a_path_that_names_nothing_is_refused() {
    let api = Api::start().await;
    api.create_hello().await;
    let before = functions(&api).await;
    for call in calls() {
        for path in call.bad_paths() {
            let what = format!("{} {}", call.method, String::from_utf8_lossy(&path[..path.len().min(100)]));
            let told = ask(
                &api,
                &call.method,
                &path,
                &[b"Content-Type: application/json"],
                b"{\"code\": \"1\", \"version\": 1}",
            )
            .await;
            told.expect(&what).is_refused(&what);
        }
    }
    assert_eq!(functions(&api).await, before);
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_refused() {
    let api = Api::start().await;
    let calls = calls();
    for call in &calls {
        let known =
            |method: &str| calls.iter().any(|other| other.path == call.path && other.method == method);
        for method in METHODS.into_iter().filter(|method| !known(method)).chain(["TRACE", "CONNECTED"]) {
            let what = format!("{method} {}", call.path);
            let told = ask(&api, method, call.good_path().as_bytes(), &[], b"").await.expect(&what);
            told.is_refused(&what);
            assert!(told.status == 405 && told.head.contains("\r\nallow: "), "{what}: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_none_is_refused() {
    let api = Api::start().await;
    api.create_hello().await;
    let before = functions(&api).await;
    for call in calls().iter().filter(|call| !call.content_types.is_empty()) {
        for content_type in CONTENT_TYPES {
            // Whatever an input is sent as, it is read as JSON; and lines of NDJSON are each refused in the answer.
            let is_input = call.path.ends_with("/executions") || call.path.ends_with("/batch");
            if is_input && content_type == "application/x-ndjson" {
                continue;
            }
            for body in BODIES {
                let what = format!(
                    "{} {} {content_type} {:?}",
                    call.method,
                    call.path,
                    String::from_utf8_lossy(body)
                );
                let header = format!("Content-Type: {content_type}");
                let told =
                    ask(&api, &call.method, call.good_path().as_bytes(), &[header.as_bytes()], body).await;
                told.expect(&what).is_refused(&what);
            }
        }
    }
    assert_eq!(functions(&api).await, before);
}

#[tokio::test]
async fn a_query_or_a_header_that_makes_no_sense_is_no_failure() {
    let api = Api::start().await;
    // Each look for dead letters takes a second.
    for call in calls().iter().filter(|call| !call.path.starts_with("/v1/dead-letters")) {
        let path = call.good_path();
        let with_query = QUERIES.iter().map(|query| (format!("{path}?{query}"), &b"Accept: */*"[..]));
        let with_header = HEADERS.into_iter().map(|header| (path.clone(), header));
        for (path, header) in with_query.chain(with_header) {
            let what = format!("{} {path} {:?}", call.method, String::from_utf8_lossy(header));
            if let Some(told) = ask(&api, &call.method, path.as_bytes(), &[header], b"null").await {
                assert!(told.status < 500, "{what}: {told:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_parameter_that_a_call_has_not_is_refused() {
    let api = Api::start().await;
    api.create_hello().await;
    let before = functions(&api).await;
    for call in calls().iter().filter(|call| call.path.starts_with("/v1/")) {
        let what = format!("{} {}?tiemout=1", call.method, call.path);
        let path = format!("{}?tiemout=1", call.good_path());
        let told =
            ask(&api, &call.method, path.as_bytes(), &[b"Content-Type: application/json"], b"null").await;
        let told = told.expect(&what);
        told.is_refused(&what);
        assert_eq!(told.status, 400, "{what}: {told:?}");
    }
    assert_eq!(functions(&api).await, before);
}

#[tokio::test]
async fn what_is_no_request_ends_the_connection() {
    let api = Api::start().await;
    let mut many = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n".to_vec();
    many.extend((0..1_000).flat_map(|n| format!("X-{n}: 1\r\n").into_bytes()));
    let mut large = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ".to_vec();
    large.resize(2_000_000, b'x');
    let too_much = [many, large].map(|head| [&head[..], b"\r\n\r\n"].concat());
    for request in NONSENSE.into_iter().chain(too_much.iter().map(Vec::as_slice)) {
        if let Some(told) = send(&api, request).await {
            let what = String::from_utf8_lossy(&request[..request.len().min(100)]);
            assert!((400..500).contains(&told.status), "{what:?}: {told:?}");
        }
    }
    assert_eq!(api.get("/healthz").await.status, 200);
}
