//! Listening to executions: each status, and the logs as they come.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::Fleet;

/// A stream of server-sent events.
struct Events {
    answer: Response,
    bytes: Vec<u8>,
}

impl Events {
    async fn of(fleet: &Fleet, url: &str, last_id: Option<&str>) -> Self {
        let answer = listen(fleet, url, last_id).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        Self { answer, bytes: Vec::new() }
    }

    /// The next event: its id, its name and its data. `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|bytes| bytes == b"\n\n") {
                let event: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let event = String::from_utf8(event).unwrap();
                let field = |name: &str| {
                    let mut lines = event.lines().filter_map(|line| line.strip_prefix(name));
                    lines.next().map(|value| value.strip_prefix(": ").unwrap().to_owned())
                };
                // Comments keep the connection alive.
                let Some(id) = field("id") else { continue };
                return Some((id, field("event")?, serde_json::from_str(&field("data")?).unwrap()));
            }
            self.bytes.extend_from_slice(&self.answer.chunk().await.unwrap()?);
        }
    }

    /// The next event, which must tell this status.
    async fn status(&mut self, status: &str) -> (String, Value) {
        let (id, name, execution) = self.next().await.unwrap();
        assert_eq!((name.as_str(), &execution["status"]), ("status", &json!(status)), "{execution}");
        (id, execution)
    }

    /// The next event, which must tell this piece of the logs.
    async fn logs(&mut self, offset: u64, text: &str) -> String {
        let (id, name, logs) = self.next().await.unwrap();
        assert_eq!((name.as_str(), logs), ("logs", json!({"offset": offset, "text": text})));
        id
    }
}

async fn listen(fleet: &Fleet, url: &str, last_id: Option<&str>) -> Response {
    let request = fleet.request(Method::GET, &format!("{url}/events"));
    last_id.into_iter().fold(request, |request, id| request.header("last-event-id", id)).send().await.unwrap()
}

#[tokio::test]
async fn a_listener_is_told_each_status_and_the_logs_as_they_come() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    let code = "$stdout.sync = true; print 'Zoë '; sleep 7; print 'is here'; {done: true}";
    fleet.create("slow", code, json!({})).await;
    let url = fleet.submit("slow", &json!(null)).await;
    let (mut events, mut others) = (Events::of(fleet, &url, None).await, Events::of(fleet, &url, None).await);
    events.status("queued").await;
    others.status("queued").await;
    let worker = deployment.worker(&[]).await;
    let (_, running) = events.status("running").await;
    let broken_off_at = events.logs(0, "Zoë ").await;
    let polled: Value = fleet.get(&url).await.json().await.unwrap();
    for execution in [&running, &polled] {
        assert_eq!((&execution["logs_tail"], &execution["result"]), (&json!("Zoë "), &json!(null)));
        assert!(execution["usage"]["wall_ms"].as_f64().unwrap() > 1000.0, "{execution}");
        assert!(execution["usage"]["max_rss_bytes"].as_u64().unwrap() > 1 << 20, "{execution}");
    }
    events.logs(5, "is here").await;
    let (last_id, execution) = events.status("succeeded").await;
    assert_eq!((&execution["result"], execution.get("logs_tail")), (&json!({"done": true}), None));
    assert!(events.next().await.is_none(), "the final status comes last");

    others.status("running").await;
    others.logs(0, "Zoë ").await;
    others.logs(5, "is here").await;
    others.status("succeeded").await;

    // Whoever lost the connection goes on where it was, and whoever has seen the end is to ask no more.
    let mut again = Events::of(fleet, &url, Some(&broken_off_at)).await;
    again.logs(5, "is here").await;
    again.status("succeeded").await;
    assert_eq!(listen(fleet, &url, Some(&last_id)).await.status(), 204);
    worker.drain();
}

#[tokio::test]
async fn long_logs_of_what_has_ended_come_in_pieces() {
    let fleet = Fleet::start().await;
    fleet.create("loud", "print '€' * 60_000; nil", json!({})).await;
    let execution = fleet.execute("loud", &json!(null)).await;
    let mut events = Events::of(&fleet, execution["url"].as_str().unwrap(), None).await;
    let mut text = String::new();
    let last = loop {
        let (_, name, data) = events.next().await.unwrap();
        if name == "status" {
            break data;
        }
        assert_eq!(data["offset"], text.len());
        text.push_str(data["text"].as_str().unwrap());
    };
    assert_eq!((last["status"].as_str(), text), (Some("succeeded"), "€".repeat(60_000)));
}

#[tokio::test]
async fn a_cancellation_is_told() {
    let deployment = Deployment::start().await;
    let fleet = &deployment.fleet;
    fleet.create("never", "1", json!({})).await;
    let url = fleet.submit("never", &json!(null)).await;
    let mut events = Events::of(fleet, &url, None).await;
    events.status("queued").await;
    assert_eq!(fleet.request(Method::DELETE, &url).send().await.unwrap().status(), 202);
    events.status("cancelled").await;
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn what_can_not_be_listened_to_is_refused() {
    let fleet = Fleet::start().await;
    fleet.create("hello", "1", json!({})).await;
    let url = fleet.submit("hello", &json!(null)).await;
    for (path, id, status, slug) in [
        ("/v1/functions/nowhere/executions/order-7", None, 404, "function_not_found"),
        ("/v1/functions/hello/executions/order-7", None, 404, "execution_not_found"),
        (&url, Some("1.running"), 422, "invalid_field"),
        (&url, Some("1.running.99999999999999999999"), 422, "invalid_field"),
        (&url, Some("\u{ff}"), 422, "invalid_field"),
    ] {
        let answer = listen(&fleet, path, id).await;
        let (answered, problem) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
        assert_eq!((answered, &problem["type"]), (status, &json!(slug)), "{path} {id:?}: {problem}");
    }
}
