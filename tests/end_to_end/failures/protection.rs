//! Scale-in protection, against a stand-in for ECS's agent.
//! Its API: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html>

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::PATIENCE;

/// Answers as the agent does, with what is set, and remembers what it was asked.
struct Agent {
    uri: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Agent {
    async fn start(status: u16, answer: Value) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let uri = format!("http://{}/api/task", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let remembered = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (asked, answer) = (Arc::clone(&remembered), answer.to_string());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (asked, answer) = (Arc::clone(&asked), answer.clone());
                    async move {
                        assert_eq!(request.method(), Method::PUT);
                        assert_eq!(request.uri().path(), "/api/task/task-protection/v1/state");
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        asked.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                        Response::builder().status(status).body(Full::new(Bytes::from(answer)))
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { uri, asked }
    }

    async fn was_asked(&self, times: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = self.asked.lock().unwrap().clone();
            if asked.len() >= times {
                return asked;
            }
            assert!(Instant::now() < deadline, "{asked:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn protection(enabled: bool) -> Value {
    json!({"protection": {"ExpirationDate": "2030-01-01T00:00:00Z", "ProtectionEnabled": enabled, "TaskArn": "arn"}})
}

#[tokio::test]
async fn what_may_outlast_the_grace_period_is_protected() {
    let agent = Agent::start(200, protection(true)).await;
    let deployment = Deployment::start().await;
    let settings = [("ECS_AGENT_URI", agent.uri.as_str()), ("BADLAMBDA_DRAIN_SECONDS", "30")];
    let _worker = deployment.worker(&settings).await;
    let fleet = &deployment.fleet;
    fleet.create("short", "event", json!({"timeout_ms": 30_000})).await;
    fleet.create("long", "sleep 1; event", json!({"timeout_ms": 119_000})).await;
    assert_eq!(fleet.execute("short", &json!(1)).await["result"], 1);
    assert!(agent.asked.lock().unwrap().is_empty());
    let input = json!(2);
    let (execution, asked) = tokio::join!(fleet.execute("long", &input), agent.was_asked(1));
    assert_eq!(execution["result"], 2);
    assert_eq!(asked, [json!({"ProtectionEnabled": true, "ExpiresInMinutes": 3})]);
    // Some time after the last of them it is given up again.
    assert_eq!(agent.was_asked(2).await[1], json!({"ProtectionEnabled": false}));
}

#[tokio::test]
async fn an_agent_that_fails_is_no_trouble() {
    let failure = json!({"failure": {"Arn": "arn", "Reason": "DEPLOYMENT_BLOCKED"}});
    let error = json!({"error": {"Code": "ServerException", "message": "no"}});
    for (status, answer) in [(200, failure), (500, error)] {
        let agent = Agent::start(status, answer).await;
        let deployment = Deployment::start().await;
        let settings = [("ECS_AGENT_URI", agent.uri.as_str()), ("BADLAMBDA_DRAIN_SECONDS", "0")];
        let worker = deployment.worker(&settings).await;
        // What has ended before the agent could be asked needs no protection.
        deployment.fleet.create("echo", "sleep 1; event", json!({})).await;
        assert_eq!(deployment.fleet.execute("echo", &json!(1)).await["result"], 1);
        agent.was_asked(1).await;
        worker.drain();
    }
}
