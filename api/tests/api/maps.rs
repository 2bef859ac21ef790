//! Taking maps on: what is stored and sent, what is refused, and what a repeated or a broken-off request leaves.

use std::time::Duration;

use badlambda_shared::aws::store::NDJSON;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::{Answer, Api, send};

async fn submit(api: &Api, query: &str, body: impl Into<reqwest::Body>, key: Option<&str>) -> Answer {
    let path = format!("/v1/functions/hello/maps{query}");
    let request = api.request(Method::POST, &path).header("content-type", NDJSON).body(body);
    send(match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    })
    .await
}

/// All keys of maps.
async fn keys(api: &Api) -> Vec<String> {
    api.store.list_below("maps/", None, 1000).await.unwrap().keys
}

#[tokio::test]
async fn inputs_are_cut_into_chunks_and_each_is_a_message() {
    let api = Api::start().await;
    api.create_hello().await;
    let inputs: String = (0..25).map(|n| format!("{{\"n\": {n}}}\r\n\n")).collect();
    let answer = submit(&api, "?chunk=10", inputs, None).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let map = answer.json();
    assert_eq!(answer.headers["location"], map["url"].as_str().unwrap());
    assert_eq!((&map["status"], &map["total"], &map["queued"]), (&json!("queued"), &json!(25), &json!(25)));
    let mut messages = api.messages(3).await;
    messages.sort_by_key(|message| message["chunk"].as_u64());
    let places: Vec<[u64; 3]> = messages
        .iter()
        .map(|message| ["chunk", "first", "items"].map(|field| message[field].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [[0, 0, 10], [1, 10, 10], [2, 20, 5]]);
    assert!(messages.iter().all(|message| message["map"] == map["id"] && message["version"] == 1));
    let id = map["id"].as_str().unwrap().parse().unwrap();
    let last = api.store.get(&api.store.keys().map_inputs(&id, 2), 1000).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(last.bytes).unwrap().lines().next(), Some("{\"n\": 20}"));
    let shown = api.get(map["url"].as_str().unwrap()).await;
    assert_eq!((shown.status, shown.json()), (StatusCode::OK, map.clone()));
    let none = api.get(&format!("{}/results", map["url"].as_str().unwrap())).await;
    assert_eq!((none.status, none.text.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn what_is_no_input_is_named_with_its_line_and_nothing_is_left() {
    let api = Api::start_with(&[("BADLAMBDA_MAX_INPUT_BYTES", "1000")]).await;
    api.create_hello().await;
    let long = format!("1\n\"{}\"\n", "x".repeat(1000));
    let deep = format!("{}{}\n", "[".repeat(101), "]".repeat(101));
    for (body, status, slug, told) in [
        ("1\n\n{x}\n2\n", 400, "invalid_json", "line 3 column 2"),
        ("1\n2\nnull 3", 400, "invalid_json", "line 3 column 6"),
        (&long, 422, "invalid_field", "line 2: the input has more than 1000 bytes"),
        (&deep, 422, "invalid_field", "line 1: it must not be nested deeper"),
        ("\n \n", 422, "invalid_field", "a map needs an input"),
        ("", 422, "invalid_field", "a map needs an input"),
    ] {
        let answer = submit(&api, "?chunk=1", body.to_owned(), None).await;
        assert_eq!(answer.problem(), (status, slug.to_owned()), "{body:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(told), "{body:?}: {detail}");
    }
    assert_eq!(keys(&api).await, Vec::<String>::new());
    assert_eq!(api.queue.depth().await.unwrap().visible, 0);
}

#[tokio::test]
async fn a_map_that_can_not_be_is_refused() {
    let api = Api::start().await;
    api.create_hello().await;
    for (query, problem) in [
        ("?chunk=0", (422, "invalid_field")),
        ("?chunk=10001", (422, "invalid_field")),
        ("?version=7", (404, "version_not_found")),
        ("?size=1", (400, "invalid_query")),
    ] {
        let (status, slug) = submit(&api, query, "1\n", None).await.problem();
        assert_eq!((status, slug.as_str()), problem, "{query}");
    }
    let array = send(api.request(Method::POST, "/v1/functions/hello/maps").json(&json!([1, 2]))).await;
    assert_eq!(array.problem(), (415, "unsupported_media_type".to_owned()));
    let nowhere = send(api.request(Method::POST, "/v1/functions/nowhere/maps").body("1\n")).await;
    assert_eq!(nowhere.problem(), (404, "function_not_found".to_owned()));
    let other = "/v1/functions/hello/maps/7ybq9m47a9bx68tm6t2nxd0t038t4ab";
    for path in [other.to_owned(), format!("{other}/results"), "/v1/functions/hello/maps/x!".to_owned()] {
        assert_eq!(api.get(&path).await.problem(), (404, "map_not_found".to_owned()), "{path}");
    }
    assert_eq!(send(api.request(Method::DELETE, other)).await.problem().0, 404);
}

#[tokio::test]
async fn the_same_key_is_the_same_map() {
    let api = Api::start().await;
    api.create_hello().await;
    let first = submit(&api, "", "1\n2\n", Some("k")).await.json();
    let again = submit(&api, "", "1\n2\n", Some("k")).await.json();
    assert_eq!(first["id"], again["id"]);
    let other = submit(&api, "", "1\n3\n", Some("k")).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    api.messages(1).await;
    assert_eq!(api.queue.depth().await.unwrap().visible, 0, "it was sent once");
    let id = first["id"].as_str().unwrap();
    let inputs: Vec<String> = keys(&api).await.into_iter().filter(|key| key.contains("/inputs/")).collect();
    assert!(inputs.iter().filter(|key| !key.contains(id)).count() == 0, "{inputs:?}");
}

#[tokio::test]
async fn of_what_is_broken_off_nothing_is_left() {
    let api = Api::start().await;
    api.create_hello().await;
    let address = api.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/functions/hello/maps?chunk=1 HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(b"6\r\n1\n2\n3\n\r\n").await.unwrap();
    while keys(&api).await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(connection);
    while !keys(&api).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(api.queue.depth().await.unwrap().visible, 0);
}

#[tokio::test]
async fn a_stream_that_stalls_before_its_end_is_answered_nothing_yet() {
    let api = Api::start().await;
    api.create_hello().await;
    let address = api.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head =
        format!("POST /v1/functions/hello/maps HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\n");
    connection.write_all(format!("{head}1\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let early = tokio::time::timeout(Duration::from_millis(200), connection.read_exact(&mut answer)).await;
    assert!(early.is_err(), "an answer before the last input");
    connection.write_all(b"2\n").await.unwrap();
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 202");
}

#[tokio::test]
async fn a_cancelled_map_says_so_and_stays_so() {
    let api = Api::start().await;
    api.create_hello().await;
    let map = submit(&api, "", "1\n2\n", None).await.json();
    let url = map["url"].as_str().unwrap();
    for _ in 0..2 {
        let cancelled = send(api.request(Method::DELETE, url)).await;
        assert_eq!(cancelled.status, StatusCode::ACCEPTED, "{cancelled:?}");
        let cancelled: Value = cancelled.json();
        assert_eq!((&cancelled["status"], &cancelled["queued"]), (&json!("cancelled"), &json!(0)));
    }
    let waited = send(api.request(Method::GET, url).header("prefer", "wait=20")).await;
    assert_eq!(waited.json()["status"], "cancelled");
}

#[tokio::test]
async fn maps_are_listed_the_newest_first_page_by_page() {
    let api = Api::start().await;
    api.create_hello().await;
    let mut submitted = vec![];
    for n in 0..3 {
        submitted.push(submit(&api, "", format!("{n}\n"), None).await.json());
    }
    // So are ids; of one millisecond, in any order.
    submitted.sort_by_key(|map| map["id"].as_str().unwrap().to_owned());
    let first = api.get("/v1/maps?limit=2").await;
    let page = first.json();
    let listed = |page: &Value| {
        page["maps"].as_array().unwrap().iter().map(|map| map["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&page), [submitted[0]["id"].clone(), submitted[1]["id"].clone()]);
    let map = &submitted[0];
    let expected = json!({
        "id": map["id"], "function": "hello", "version": 1, "url": map["url"], "total": 1, "submitted_at": map["submitted_at"],
    });
    assert_eq!(page["maps"][0], expected);
    let next = format!("/v1/maps?limit=2&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(first.headers["link"], format!("<{next}>; rel=\"next\""));
    let second = api.get(&next).await.json();
    assert_eq!((listed(&second), &second["next"]), (vec![submitted[2]["id"].clone()], &Value::Null));
    assert_eq!(api.get("/v1/maps?cursor=x!").await.problem().0, 422);
}
