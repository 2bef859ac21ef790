//! What lasts, and who may start.

use std::os::unix::fs::PermissionsExt;

use aws_sdk_s3::primitives::ByteStream;
use badlambda_local::{LocalAwsConfig, StartError};

use crate::fixture::Servers;

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let before = Servers::over(data.path()).await.unwrap();
    let (old_url, secret) = (before.aws.queue_url.clone(), before.aws.secret_access_key.clone());
    before.sqs.send_message().queue_url(&old_url).message_body("kept").send().await.unwrap();
    let put = before.s3.put_object().bucket(&before.aws.bucket).key("kept");
    put.body(ByteStream::from_static(b"kept")).send().await.unwrap();
    before.aws.shutdown().await;

    let after = Servers::over(data.path()).await.unwrap();
    assert_eq!(after.aws.secret_access_key, secret);
    // The port has changed, and the queue's old URL still names it.
    assert_eq!(after.receive(&old_url, 5, 30).await.unwrap().body(), Some("kept"));
    let get = after.s3.get_object().bucket(&after.aws.bucket).key("kept").send().await.unwrap();
    assert_eq!(get.body.collect().await.unwrap().to_vec(), b"kept");
}

#[tokio::test]
async fn the_data_are_one_processs_and_one_users() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let servers = Servers::over(&data).await.unwrap();
    assert!(matches!(Servers::over(&data).await, Err(StartError::InUse(_))));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("credentials.json"))), (0o700, 0o600));
    servers.aws.shutdown().await;
    Servers::over(&data).await.unwrap();
}

#[tokio::test]
async fn only_loopback_is_served() {
    let data = tempfile::tempdir().unwrap();
    let config = LocalAwsConfig::new("0.0.0.0:0".parse().unwrap(), data.path().to_owned());
    assert!(matches!(badlambda_local::start(config).await, Err(StartError::NotLoopback(_))));
}

#[tokio::test]
async fn requests_are_counted() {
    let servers = Servers::start().await;
    servers.receive(&servers.aws.queue_url, 0, 1).await;
    assert_eq!(servers.aws.requests()["SQS.ReceiveMessage"], 1);
}
