//! One api and two workers as processes of their own.

use std::collections::HashSet;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::fixtures::deployment::Deployment;

#[tokio::test]
async fn one_api_and_two_workers() {
    // S3 by another name, as clients outside may know it.
    let mut deployment = Deployment::start_with_public_s3(Some("localhost")).await;
    let workers = [deployment.worker(&[]).await, deployment.worker(&[]).await];
    let fleet = &deployment.fleet;
    fleet.create("who", "sleep 0.2; Process.uid", json!({})).await;
    let submits = (0..12).map(|_| fleet.execute("who", &json!(null)));
    let mut uids = HashSet::new();
    for execution in futures::future::join_all(submits).await {
        assert_eq!(execution["status"], "succeeded", "{}", execution["error"]);
        uids.insert(execution["result"].as_u64().unwrap());
        let result_url = execution["result_url"].as_str().unwrap();
        assert!(result_url.starts_with(fleet.address("public_s3")), "{result_url}");
        let result = fleet.http.get(result_url).send().await.unwrap().text().await.unwrap();
        assert_eq!(result, execution["result"].to_string());
    }
    if nix::unistd::geteuid().is_root() {
        // Four slots in two workers: more than one worker alone has, and each with a uid of its own.
        assert!(uids.len() > 2, "{uids:?}");
    }
    fleet.queue_is_empty().await;
    for worker in workers {
        worker.drain();
    }
    deployment.fleet.process.signal(Signal::SIGTERM);
    assert_eq!(deployment.fleet.process.wait(), Some(0));
}
