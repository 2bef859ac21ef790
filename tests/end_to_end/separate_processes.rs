//! The deployment's shape: one api and two workers as processes of their own, against `badlambda aws`.

use std::collections::HashSet;
use std::process::Command;
use std::time::Instant;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::fleet::{Fleet, PATIENCE, Process, program};

fn configured(name: &str, aws: &Value) -> Command {
    let text = |field: &str| aws[field].as_str().unwrap().to_owned();
    let mut command = program(name);
    command
        .env("AWS_ENDPOINT_URL", text("aws"))
        .env("AWS_ACCESS_KEY_ID", text("access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", text("secret_access_key"))
        .env("AWS_REGION", text("region"))
        .env("BADLAMBDA_QUEUE_URL", text("queue_url"))
        .env("BADLAMBDA_DEAD_LETTER_QUEUE_URL", text("dead_letter_queue_url"))
        .env("BADLAMBDA_BUCKET", text("bucket"))
        .env("BADLAMBDA_PUBLIC_S3_ENDPOINT", public(aws))
        .env("BADLAMBDA_SLOTS", "2");
    if name == "badlambda-worker" && !nix::unistd::geteuid().is_root() {
        command.env("BADLAMBDA_ISOLATION", "unprivileged");
    }
    command
}

/// S3 by another name, as clients outside may know it.
fn public(aws: &Value) -> String {
    aws["aws"].as_str().unwrap().replace("127.0.0.1", "localhost")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn one_api_and_two_workers() {
    let data = tempfile::tempdir().unwrap();
    let mut embedded = program("badlambda");
    embedded.args(["aws", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
    let mut embedded = Process::start(embedded);
    let mut addresses = embedded.first_line();
    let ports = [free_port(), free_port(), free_port()];
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let start = |name: &str, port| {
        let mut command = configured(name, &addresses);
        command.env("BADLAMBDA_LISTEN", listen(port));
        Process::start(command)
    };
    let mut workers = [start("badlambda-worker", ports[1]), start("badlambda-worker", ports[2])];
    let api = start("badlambda-api", ports[0]);
    addresses["api"] = json!(format!("http://{}", listen(ports[0])));
    let mut fleet = Fleet::of(api, addresses);
    for port in ports {
        ready(&fleet, port).await;
    }

    fleet.create("who", "sleep 0.2; Process.uid", json!({})).await;
    let submits = (0..12).map(|_| fleet.execute("who", &json!(null)));
    let mut uids = HashSet::new();
    for execution in futures::future::join_all(submits).await {
        assert_eq!(execution["status"], "succeeded", "{}", execution["error"]);
        uids.insert(execution["result"].as_u64().unwrap());
        let result_url = execution["result_url"].as_str().unwrap();
        assert!(result_url.starts_with(&public(&fleet.addresses)), "{result_url}");
        let result = fleet.http.get(result_url).send().await.unwrap().text().await.unwrap();
        assert_eq!(result, execution["result"].to_string());
    }
    if nix::unistd::geteuid().is_root() {
        // Four slots in two workers: more than one worker alone has, and each with a uid of its own.
        assert!(uids.len() > 2, "{uids:?}");
    }
    fleet.queue_is_empty().await;
    for process in workers.iter_mut().chain([&mut fleet.process]) {
        process.signal(Signal::SIGTERM);
        assert_eq!(process.wait(), Some(0));
    }
}

async fn ready(fleet: &Fleet, port: u16) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = fleet.http.get(format!("http://127.0.0.1:{port}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        assert!(Instant::now() < deadline, "port {port} is not ready");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
