//! What outlives the servers, and who may start them.

use std::os::unix::fs::PermissionsExt;

use badlambda_local::{LocalAwsConfig, StartError};
use tempfile::TempDir;

use crate::fixture::{ANYWHERE, Fixture};

#[tokio::test]
async fn messages_objects_and_credentials_outlive_the_servers() {
    let fixture = Fixture::start().await;
    let first_url = fixture.endpoint.queue_url.clone();
    let credentials = (fixture.endpoint.access_key_id.clone(), fixture.endpoint.secret_access_key.clone());
    let id = fixture.send("kept").await;
    let in_flight = fixture.receive_one(&first_url, 0).await;
    fixture.send("waiting").await;
    let etag = fixture.put("kept", b"object").await;

    let fixture = fixture.restart().await;
    assert_eq!(
        (fixture.endpoint.access_key_id.clone(), fixture.endpoint.secret_access_key.clone()),
        credentials
    );
    let head = fixture.s3.head_object().bucket(&fixture.endpoint.bucket).key("kept").send().await.unwrap();
    assert_eq!(head.e_tag(), Some(etag.as_str()));
    assert_eq!(fixture.get("kept").await, b"object");

    // The old URL and the old receipt are still good.
    assert_eq!(fixture.receive_one(&first_url, 0).await.body(), Some("waiting"));
    let give_back = fixture.sqs.change_message_visibility().queue_url(&first_url).visibility_timeout(0);
    give_back.receipt_handle(in_flight.receipt_handle().unwrap()).send().await.unwrap();
    let again = fixture.receive_one(&fixture.endpoint.queue_url, 0).await;
    assert_eq!(again.message_id(), Some(id.as_str()));
}

#[tokio::test]
async fn a_waiting_receive_does_not_hold_up_the_end() {
    let fixture = Fixture::start().await;
    let receive = fixture.sqs.receive_message().queue_url(&fixture.endpoint.queue_url).wait_time_seconds(20);
    let waiting = tokio::spawn(receive.send());
    fixture.counted("SQS.ReceiveMessage", 1).await;
    fixture.shutdown().await;
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.messages().len(), 0);
}

#[tokio::test]
async fn one_at_a_time_uses_the_data() {
    let fixture = Fixture::start().await;
    let config = LocalAwsConfig::new(ANYWHERE, fixture.data().to_owned());
    let second = badlambda_local::start(config.clone()).await.unwrap_err();
    assert!(matches!(&second, StartError::InUse(path) if path == fixture.data()), "{second}");
    fixture.shutdown().await;
    badlambda_local::start(config).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn objects_that_an_older_version_kept_as_files_are_left_alone() {
    let data = TempDir::new().unwrap();
    std::fs::create_dir_all(data.path().join("s3/badlambda/functions")).unwrap();
    let refused = badlambda_local::start(LocalAwsConfig::new(ANYWHERE, data.path().to_owned())).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("use another data folder"), "{refused}");
    assert!(data.path().join("s3/badlambda/functions").exists());
}

#[tokio::test]
async fn only_this_machine_is_served() {
    let data = TempDir::new().unwrap();
    for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let config = LocalAwsConfig::new(open.parse().unwrap(), data.path().to_owned());
        let refused = badlambda_local::start(config).await.unwrap_err();
        assert!(matches!(refused, StartError::NotLoopback(_)), "{refused}");
    }
    assert_eq!(data.path().read_dir().unwrap().count(), 0, "nothing was made");
}

#[tokio::test]
async fn the_credentials_are_nobody_elses_to_read() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let aws = badlambda_local::start(LocalAwsConfig::new(ANYWHERE, data.clone())).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("credentials.json")), 0o600);
    aws.shutdown().await;
}
