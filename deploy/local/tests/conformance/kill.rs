//! What was answered outlives a process that is killed while it answers more.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use badlambda_local::LocalAwsConfig;
use md5::{Digest, Md5};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::fixture::{ANYWHERE, Endpoint, Fixture, clients};

const SENDERS: usize = 4;
const ENOUGH: usize = 200;

/// The process that is killed: it serves over its working directory. Only the test below starts it.
#[tokio::test]
#[ignore = "it never ends by itself"]
async fn serve_until_killed() {
    let folder = std::env::current_dir().unwrap();
    let aws = badlambda_local::start(LocalAwsConfig::new(ANYWHERE, folder)).await.unwrap();
    let Endpoint { url, access_key_id, secret_access_key, queue_url, .. } = Endpoint::from(&aws);
    println!("\nserving {url} {access_key_id} {secret_access_key} {queue_url}");
    std::future::pending::<()>().await;
}

/// Starts that process over `data`, and returns once it serves.
fn serve(data: &TempDir) -> (Child, Endpoint) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "kill::serve_until_killed", "--nocapture"])
        .current_dir(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let serving = lines.filter_map(|line| line.strip_prefix("serving ").map(str::to_owned)).next().unwrap();
    let mut words = serving.split(' ').map(str::to_owned);
    let mut next = || words.next().unwrap();
    let endpoint = Endpoint {
        url: next(),
        access_key_id: next(),
        secret_access_key: next(),
        queue_url: next(),
        region: "us-east-1".to_owned(),
        dead_letter_queue_url: String::new(),
        bucket: "badlambda".to_owned(),
        account: "000000000000",
    };
    (child, endpoint)
}

/// How often something was answered, and who waits until it was enough.
#[derive(Default)]
struct Answers {
    count: AtomicUsize,
    enough: Notify,
}

impl Answers {
    fn add(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) == ENOUGH {
            self.enough.notify_one();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_a_kill() {
    let data = TempDir::new().unwrap();
    let (mut child, endpoint) = serve(&data);
    let (sqs, s3) = clients(&endpoint, &endpoint.access_key_id, &endpoint.secret_access_key);
    let answers = Arc::new(Answers::default());
    let senders = (0..SENDERS).map(|_| {
        let send = sqs.send_message().queue_url(&endpoint.queue_url).message_body("x");
        let answers = answers.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            while let Ok(sent) = send.clone().send().await {
                ids.push(sent.message_id.unwrap());
                answers.add();
            }
            ids
        })
    });
    let senders: Vec<_> = senders.collect();
    let put = move |number: u64| {
        let put = s3.put_object().bucket(&endpoint.bucket).key("state");
        put.body(number.to_string().into_bytes().into()).send()
    };
    let writer = tokio::spawn(async move {
        let mut number = 0_u64;
        while put(number + 1).await.is_ok() {
            number += 1;
        }
        number
    });

    answers.enough.notified().await;
    child.kill().unwrap();
    child.wait().unwrap();
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.unwrap());
    }
    let written = writer.await.unwrap();
    assert!(sent.len() > ENOUGH && written > 0, "{} {written}", sent.len());

    let fixture = Fixture::over(data).await;
    let mut there = std::collections::HashSet::new();
    loop {
        let messages = fixture.receive(&fixture.endpoint.queue_url, 0).await;
        if messages.is_empty() {
            break;
        }
        there.extend(messages.into_iter().map(|message| message.message_id.unwrap()));
    }
    assert!(sent.iter().all(|id| there.contains(id)));

    let state = fixture.get("state").await;
    let number: u64 = String::from_utf8(state.clone()).unwrap().parse().unwrap();
    assert!(number >= written, "{number} was there, and {written} was answered");
    let head = fixture.s3.head_object().bucket(&fixture.endpoint.bucket).key("state").send().await.unwrap();
    assert_eq!(head.e_tag().unwrap(), format!("\"{:x}\"", Md5::digest(state)));
}
