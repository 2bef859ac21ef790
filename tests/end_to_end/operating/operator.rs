//! The operator's commands in `deploy/aws`, run against an emulator of AWS. Docker and Session Manager are stood in for.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use badlambda_tests::addresses::clients;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures::fleet::{PATIENCE, repository};
use crate::fixtures::template::{self, is_alarm_on_an_expression};
use crate::fixtures::{elsewhere, stacks};

const COMMANDS: [&str; 5] = ["up", "down", "status", "logs", "connect"];

/// What a command has said, on both streams, and its exit code.
struct Ended {
    code: Option<i32>,
    said: String,
}

/// An operator with credentials for the emulator, and a folder for what the stand-ins note.
struct Operator {
    url: String,
    notes: TempDir,
}

impl Operator {
    fn new() -> Self {
        Self { url: elsewhere::url().unwrap_or_default(), notes: TempDir::new().unwrap() }
    }

    fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        let folders = ["tests/end_to_end/operating/operator/stand_ins", "target/python/bin"];
        let folders = folders.map(|folder| repository().join(folder).display().to_string()).join(":");
        command.env_clear().env("PATH", format!("{folders}:/usr/bin:/bin")).env("HOME", self.notes.path());
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("DOCKER_ASKED", self.notes.path().join("docker"));
        command
    }

    /// A command, to be run.
    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.program(&repository().join("deploy/aws").join(name));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    fn run(&self, name: &str, arguments: &[&str]) -> Ended {
        ended(self.command(name, arguments))
    }

    /// The same, which must succeed; returns what it said.
    fn succeeds(&self, name: &str, arguments: &[&str]) -> String {
        let ended = self.run(name, arguments);
        assert_eq!(ended.code, Some(0), "{name} {arguments:?}: {}", ended.said);
        ended.said
    }

    /// The same, which must fail.
    fn fails(&self, name: &str, arguments: &[&str]) -> String {
        let ended = self.run(name, arguments);
        assert_eq!(ended.code, Some(1), "{name} {arguments:?}: {}", ended.said);
        ended.said
    }

    /// What the AWS CLI answers.
    fn aws(&self, arguments: &[&str]) -> Value {
        let mut aws = self.program(&repository().join("target/python/bin/aws"));
        aws.args(["--endpoint-url", &self.url, "--region", "us-east-1", "--output", "json"]).args(arguments);
        let ended = aws.output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        serde_json::from_slice(&ended.stdout).unwrap_or_default()
    }

    fn noted(&self, name: &str) -> String {
        std::fs::read_to_string(self.notes.path().join(name)).unwrap_or_default()
    }

    /// Writes a template to a file.
    fn template(&self, name: &str, template: &Value) -> String {
        let path = self.notes.path().join(name);
        std::fs::write(&path, template.to_string()).unwrap();
        path.display().to_string()
    }

    /// How many tasks of `connect` run.
    fn jumps(&self, stack: &str) -> usize {
        let (cluster, family) = (format!("{stack}-Cluster"), format!("{stack}-jump"));
        let tasks = self.aws(&["ecs", "list-tasks", "--cluster", &cluster, "--family", &family]);
        tasks["taskArns"].as_array().unwrap().len()
    }
}

fn ended(mut command: Command) -> Ended {
    let ended = command.output().unwrap();
    let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).join("");
    Ended { code: ended.status.code(), said }
}

fn assert_says(said: &str, expected: &[&str]) {
    for text in expected {
        assert!(said.contains(text), "{text:?} is not in {said}");
    }
}

#[test]
fn each_says_how_it_is_used() {
    let operator = Operator::new();
    for name in COMMANDS {
        let usage = operator.succeeds(name, &["--help"]);
        assert_says(&usage, &[&format!("deploy/aws/{name} "), "--stack NAME", "--region REGION"]);
        for wrong in [["--stack"].as_slice(), &["--colour", "red"]] {
            let ended = operator.run(name, wrong);
            assert_eq!(ended.code, Some(2), "{name} {wrong:?}: {}", ended.said);
            assert_says(&ended.said, &[wrong[0]]);
        }
    }
    for wrong in [["--platform", "sparc"], ["--images", "one"], ["--tag", "v1"]] {
        let arguments = [&wrong[..], &["Architecture=ARM64"]].concat();
        assert_eq!(operator.run("up", &arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(operator.run("logs", &["--since", "tea"]).code, Some(2));
}

#[tokio::test]
#[ignore = "needs the emulator that tests/run starts"]
async fn a_system_is_deployed_looked_after_upgraded_and_removed() {
    let operator = Operator::new();
    let stack = stacks::new_name();
    let tag = format!("v{:x}", rand::random::<u32>());
    let good = operator.template("good", &template::reduced());
    let mut broken = template::reduced();
    let resources = template::whole()["Resources"].as_object().unwrap();
    let (alarm, resource) = resources.iter().find(|(_, one)| is_alarm_on_an_expression(one)).unwrap();
    broken["Resources"][alarm] = resource.clone();
    let broken = operator.template("broken", &broken);

    // What can't be made says why; the images are there already when it is tried again.
    let asked = ["--stack", &stack, "--tag", &tag, "MaxWorkers=7", "--template"];
    let said = operator.fails("up", &[&asked[..], &[&broken]].concat());
    assert_says(&said, &[alarm, "metric math", "ROLLBACK_COMPLETE"]);
    let docker = operator.noted("docker");
    for target in ["api", "worker"] {
        assert_says(
            &docker,
            &[&format!("build --platform linux/arm64 --target {target} --build-arg VERSION={tag}")],
        );
        assert_says(
            &docker,
            &[&format!("/badlambda/{target}:{tag} --file"), "login --username AWS --password-stdin"],
        );
    }
    let said = operator.succeeds("up", &[&asked[..], &[&good]].concat());
    assert_says(&said, &["removing the stack", &format!("{tag} was pushed before"), "deploy/aws/connect"]);
    assert_eq!(operator.noted("docker"), docker);

    let described = operator.aws(&["cloudformation", "describe-stacks", "--stack-name", &stack]);
    let output = |name: &str| {
        let outputs = described["Stacks"][0]["Outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["OutputKey"] == name).unwrap()["OutputValue"].as_str().unwrap()
    };
    assert_says(&said, &["ApiUrl", "QueueUrl", "DeadLetterQueueUrl", "BucketName"].map(output));
    let sdk = clients(&stacks::emulator(&operator.url));
    let sqs = aws_sdk_sqs::Client::new(sdk.sdk());
    for queue in ["QueueUrl", "QueueUrl", "DeadLetterQueueUrl"] {
        sqs.send_message().queue_url(output(queue)).message_body("1").send().await.unwrap();
    }
    let said = operator.succeeds("status", &["--stack", &stack]);
    assert_says(
        &said,
        &[
            "CREATE_COMPLETE",
            &format!("image {tag}"),
            "1 of 1 tasks run",
            "2 wait, 0 in flight",
            "letters   1",
        ],
    );
    assert_says(&said, &["alarms         none on"]);

    // What was set before stays, and so do the images.
    let images = |described: &Value| -> Vec<Value> {
        let parameters = described["Stacks"][0]["Parameters"].as_array().unwrap().clone();
        let kept = ["ApiImage", "WorkerImage", "MaxWorkers"].map(Value::from);
        parameters.into_iter().filter(|parameter| kept.contains(&parameter["ParameterKey"])).collect()
    };
    operator.succeeds("up", &["--stack", &stack, "--keep-images", "WorkerSlots=8", "--template", &good]);
    let upgraded = operator.aws(&["cloudformation", "describe-stacks", "--stack-name", &stack]);
    assert_eq!(upgraded["Stacks"][0]["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(images(&upgraded), images(&described));
    assert!(images(&upgraded).iter().any(|parameter| parameter["ParameterValue"] == "7"), "{upgraded}");

    let group = output("WorkerLogGroup");
    let stream = ["--log-group-name", group, "--log-stream-name", "worker/1"];
    operator.aws(&[&["logs", "create-log-stream"], &stream[..]].concat());
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let events = [1000, 0].map(|ago| format!("timestamp={},message=\"{ago} ms\tago\"", now - ago));
    let put = [&["logs", "put-log-events"], &stream[..], &["--log-events", &events[0], &events[1]]];
    operator.aws(&put.concat());
    let said = operator.succeeds("logs", &["--stack", &stack, "--since", "1m"]);
    assert_says(&said, &["worker 1000 ms\tago\n", "worker 0 ms\tago\n"]);
    assert_eq!(said.lines().count(), 2, "{said}");

    assert_says(&operator.fails("down", &["--stack", &stack]), &["Messages in the queue: 2", "--yes"]);
    let said = operator.succeeds("down", &["--stack", &stack, "--yes"]);
    assert_says(
        &said,
        &[output("BucketName"), output("QueueUrl"), "(messages: 2)", "delete-repository --force"],
    );
    assert_says(&operator.fails("status", &["--stack", &stack]), &["there is no stack", "deploy/aws/up"]);
    operator.aws(&["s3api", "head-bucket", "--bucket", output("BucketName")]);
    let kept = sqs.receive_message().queue_url(output("QueueUrl")).send().await.unwrap();
    assert_eq!(kept.messages().len(), 1);
}

#[tokio::test]
#[ignore = "needs the emulator that tests/run starts"]
async fn a_connection_leaves_no_task_behind() {
    let operator = Operator::new();
    let stack = stacks::new_name();
    let outputs = stacks::create(&operator.url, &stack).await;
    let said = operator.fails("connect", &["--stack", &stack, "--wait", "0"]);
    assert_says(&said, &["Session Manager agent not there", "ssmmessages"]);
    assert_eq!(operator.jumps(&stack), 0);

    let session = operator.notes.path().join("session");
    let connect = |seconds: &str| {
        // Who runs the tests in the background has interrupts ignored, which a child takes over.
        let script = repository().join("deploy/aws/connect").display().to_string();
        let mut connect = operator.program(Path::new("/usr/bin/env"));
        connect.args(["--default-signal=INT", &script, "--stack", &stack, "--port", "8090"]);
        connect.stdin(Stdio::null());
        let agent = repository().join("tests/end_to_end/operating/operator/agent").display().to_string();
        let path = connect.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap();
        let path = format!("{agent}:{}", path.to_str().unwrap());
        connect.env("PATH", path).env("AWS", repository().join("target/python/bin/aws"));
        connect.env("SESSION_ASKED", &session).env("SESSION_SECONDS", seconds);
        connect
    };
    let over = ended(connect("0"));
    assert_eq!(over.code, Some(0), "{}", over.said);
    assert_says(&over.said, &["http://localhost:8090", "aws secretsmanager get-secret-value"]);
    let asked = operator.noted("session");
    let host = outputs["LoadBalancerDnsName"].as_str().unwrap();
    assert_says(
        &asked,
        &[&format!("--target ecs:{stack}-Cluster_"), "_runtime-1 ", &format!("host={host},")],
    );
    assert_says(
        &asked,
        &["AWS-StartPortForwardingSessionToRemoteHost", "portNumber=80,localPortNumber=8090"],
    );
    assert_eq!(operator.jumps(&stack), 0);

    // Interrupted as from a terminal: all of its processes are told.
    std::fs::remove_file(&session).unwrap();
    let mut interrupted = connect("60").process_group(0).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !session.exists() {
        assert!(Instant::now() < deadline, "no session is begun");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(operator.jumps(&stack), 1);
    killpg(Pid::from_raw(interrupted.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(interrupted.wait().unwrap().code(), Some(130));
    assert_eq!(operator.jumps(&stack), 0);
}
