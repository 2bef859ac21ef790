//! Other systems' programs, which `tests/run` installs: what they send, they send as they do anywhere.

use std::ffi::OsStr;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::fixtures::fleet::{Fleet, repository};

/// Makes calls with boto3, each an operation and its arguments, and returns SQS's answers.
pub async fn boto3(fleet: &Fleet, calls: Value) -> Vec<Value> {
    let script = repository().join("tests/end_to_end/messages/senders/with_boto3.py");
    let mut python = installed("python");
    python.arg(script).arg(fleet.addresses.to_string()).stdin(Stdio::piped());
    let mut running = python.spawn().expect("tests/run installs boto3");
    // Dropped once it is written, so that the program sees its end.
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(calls.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let ended = running.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

/// Sends one message with boto3; returns its MessageId.
pub async fn boto3_send(fleet: &Fleet, arguments: Value) -> String {
    message_id(&boto3(fleet, json!([["send_message", arguments]])).await[0])
}

/// Runs `aws sqs` with these arguments and the queue's URL, and returns its answer, or what it said of its failure.
pub async fn aws_cli(fleet: &Fleet, arguments: &[&str]) -> Result<Value, String> {
    let mut aws = installed("aws");
    aws.arg("sqs").args(arguments).args(["--queue-url", fleet.address("queue_url"), "--output", "json"]);
    // Its first version does not look for SQS where AWS_ENDPOINT_URL says.
    aws.args(["--endpoint-url", fleet.address("aws")]);
    answered(fleet, aws).await
}

/// Runs a shell's script that sends one message to `$QUEUE_URL` with the command `aws`, and returns its answer.
pub async fn shell(fleet: &Fleet, script: &str) -> Result<Value, String> {
    let aws = r#"aws() { command aws --endpoint-url "$ENDPOINT" --output json "$@"; }"#;
    let mut sh = isolated("/bin/sh");
    let path = format!("{}:/usr/bin:/bin", repository().join("target/python/bin").display());
    sh.args(["-euc", &format!("{aws}\n{script}")]).env("PATH", path);
    sh.env("ENDPOINT", fleet.address("aws")).env("QUEUE_URL", fleet.address("queue_url"));
    answered(fleet, sh).await
}

/// Runs a Python program that has boto3's client as `sqs` and the queue's URL as `queue_url`, and returns what it leaves
/// as `sent`.
pub async fn python(fleet: &Fleet, program: &str) -> Result<Value, String> {
    let (endpoint, queue_url) = (fleet.address("aws"), fleet.address("queue_url"));
    let before = format!(
        "import boto3, json\nsqs = boto3.client('sqs', endpoint_url='{endpoint}')\nqueue_url = '{queue_url}'"
    );
    let mut python = installed("python");
    python.args(["-c", &format!("{before}\n{program}\nprint(json.dumps(sent))")]);
    answered(fleet, python).await
}

/// What a program prints as JSON that has the fleet's credentials, or what it said of its failure.
async fn answered(fleet: &Fleet, mut program: Command) -> Result<Value, String> {
    program.env("AWS_DEFAULT_REGION", fleet.address("region"));
    program.env("AWS_ACCESS_KEY_ID", fleet.address("access_key_id"));
    program.env("AWS_SECRET_ACCESS_KEY", fleet.address("secret_access_key"));
    let ended = program.output().await.expect("tests/run installs it");
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&ended.stdout).unwrap())
}

/// What SQS gave the message as its id.
pub fn message_id(answer: &Value) -> String {
    answer["MessageId"].as_str().unwrap_or_else(|| panic!("it was not sent: {answer}")).to_owned()
}

/// The attribute that names the function.
pub fn function(qualified: &str) -> Value {
    json!({"function": {"DataType": "String", "StringValue": qualified}})
}

fn installed(program: &str) -> Command {
    isolated(repository().join("target/python/bin").join(program))
}

/// A program that sees nothing of this machine's settings of AWS.
pub fn isolated(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PYTHONUTF8", "1")
        .env("AWS_CONFIG_FILE", "/dev/null");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null").env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
