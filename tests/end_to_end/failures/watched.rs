//! What an orchestrator and its metrics see of a fleet: health checks, and a line in the log for each execution.

use std::fs::{self, File};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use badlambda_tests::addresses::free_address;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::deployment::Deployment;
use crate::fixtures::fleet::{Fleet, program};

fn health(binary: &str, listen: &str) -> Output {
    program(binary).arg("health").env("BADLAMBDA_LISTEN", listen).output().unwrap()
}

#[tokio::test]
async fn health_tells_by_its_exit_status_whether_something_lives_there() {
    let fleet = Fleet::start().await;
    let of = |name| fleet.address(name).trim_start_matches("http://").to_owned();
    let nobody = free_address().unwrap();
    for binary in ["badlambda-api", "badlambda-worker"] {
        assert_eq!(health(binary, &of("api")).status.code(), Some(0));
        // SQS and S3 know no such path.
        for (listen, said) in [(of("aws"), "answered 4"), (nobody.clone(), "did not answer")] {
            let output = health(binary, &listen);
            assert_eq!(output.status.code(), Some(1));
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains(&format!("http://{listen}/healthz {said}")), "{stderr}");
        }
        assert!(!health(binary, "nowhere").status.success());
    }
}

#[tokio::test]
async fn a_worker_whose_zygote_does_not_answer_says_so() {
    let deployment = Deployment::start().await;
    let worker = deployment.worker(&[]).await;
    let listen = worker.admin.trim_start_matches("http://");
    assert_eq!(health("badlambda-worker", listen).status.code(), Some(0));
    let zygote = child_of(worker.process.child.id(), "badlambda-zygot");
    kill(zygote, Signal::SIGSTOP).unwrap();
    let deadline = Instant::now() + Duration::from_secs(90);
    while health("badlambda-worker", listen).status.success() {
        assert!(Instant::now() < deadline, "it says that all is well");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    kill(zygote, Signal::SIGCONT).unwrap();
    while !health("badlambda-worker", listen).status.success() {
        assert!(Instant::now() < deadline, "it does not recover");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    worker.drain();
}

/// The child that has this name, cut as the kernel cuts it.
fn child_of(parent: u32, name: &str) -> Pid {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).unwrap();
    let children = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap());
    let children: String = children.collect::<Vec<_>>().join(" ");
    let named = |pid: &&str| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim() == name;
    Pid::from_raw(children.split_whitespace().find(named).unwrap().parse().unwrap())
}

#[tokio::test]
async fn each_execution_that_ends_is_logged_once_without_what_it_is_about() {
    let data = TempDir::new().unwrap();
    let log = data.path().join("log");
    let stderr = Stdio::from(File::create(&log).unwrap());
    let mut fleet = Fleet::logging_to(stderr, data.path(), &[("BADLAMBDA_LOG", "info")]).await;
    fleet.create("hello", "event == 'hush-hush' ? raise('hush-hush') : event", json!({})).await;
    let mut expected = vec![];
    for (input, status, kind) in
        [("fine", "succeeded", Value::Null), ("hush-hush", "failed", json!("exception"))]
    {
        let execution = fleet.execute("hello", &json!(input)).await;
        expected.push((execution["id"].clone(), json!("hello"), json!(status), kind));
    }
    let absent = fleet.send("{}", Some("absent")).await;
    fleet.finished(&format!("/v1/functions/absent/executions/{absent}")).await;
    expected.push((json!(absent), json!("absent"), json!("failed"), json!("not_found")));
    fleet.process.signal(Signal::SIGTERM);
    assert_eq!(fleet.process.wait(), Some(0));

    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("hush-hush"), "{log}");
    // What is said to a person is no JSON.
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let finished: Vec<_> = lines.filter(|line| line["message"] == "execution finished").collect();
    let told = finished.iter().map(|line| {
        let field = |name: &str| line[name].clone();
        (field("execution"), field("function"), field("status"), field("kind"))
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    for line in &finished[..2] {
        assert_eq!(
            (&line["version"], &line["attempts"], &line["level"]),
            (&json!(1), &json!(1), &json!("INFO"))
        );
        assert!(
            line["wall_ms"].as_f64().unwrap() > 0.0 && line["queued_ms"].as_i64().unwrap() >= 0,
            "{line}"
        );
    }
    assert!(finished[2]["wall_ms"].is_null(), "it never ran: {}", finished[2]);
}
