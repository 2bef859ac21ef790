//! Clients retry by themselves what was answered late or never. It runs once, and the retry gets what came of it.

use std::time::Duration;

use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, InvocationType, Runtime};
use badlambda_tests::addresses::text;
use badlambda_tests::faults::{FaultProxy, Plan};
use serde_json::{Value, json};

use super::aws_cli::request_id;
use super::programs::Settings;
use super::zip;
use crate::fixtures::fleet::{Fleet, PATIENCE};

const NAME: &str = "retried";
const CODE: &str =
    "def handler(event:, context:)\n  sleep(event[\"seconds\"])\n  context.aws_request_id\nend\n";
/// More than any client comes to before it has an answer.
const ATTEMPTS: u32 = 10;

/// An invocation of a function that sleeps, by a client that waits so long for an answer.
struct Invocation {
    invocation_type: &'static str,
    seconds: u8,
    read_timeout_s: u8,
}

impl Invocation {
    fn event(&self) -> String {
        json!({"seconds": self.seconds}).to_string()
    }

    async fn by_script(&self, settings: &Settings<'_>, script: &str) -> Value {
        let (event, read_timeout) = (self.event(), self.read_timeout_s.to_string());
        settings.script(script, &[NAME, self.invocation_type, &event, &read_timeout]).await
    }
}

const ANSWERED: Invocation =
    Invocation { invocation_type: "RequestResponse", seconds: 0, read_timeout_s: 60 };
const TAKEN_ON: Invocation = Invocation { invocation_type: "Event", ..ANSWERED };
const LATE: Invocation = Invocation { seconds: 3, read_timeout_s: 1, ..ANSWERED };

/// Lets a client invoke the function, of which it returns `id` and `payload`, while answers are lost or late.
async fn check(client: impl AsyncFn(Settings<'_>, &Invocation) -> Value) {
    let fleet = Fleet::start().await;
    create(&fleet).await;
    let mut ids = vec![];
    for invocation in [ANSWERED, TAKEN_ON, LATE] {
        let is_late = invocation.seconds > 0;
        let lost = if is_late { 0.0 } else { 1.0 };
        let plan = Plan { lose_answer: lost, ..Plan::default() };
        let proxy = FaultProxy::start(fleet.address("api"), 0, plan).unwrap();
        let settings = Settings { fleet: &fleet, url: &proxy.url, attempts: ATTEMPTS };
        let lose_one = async {
            while !is_late && proxy.done().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            proxy.follow(Plan::default());
        };
        let (invoked, ()) = tokio::join!(client(settings, &invocation), lose_one);
        let tries: u64 = proxy.calls().values().sum();
        assert!(tries > 1, "nothing was retried");
        let id = text(&invoked, "id").to_owned();
        let payload = if invocation.invocation_type == "Event" { Value::Null } else { json!(id) };
        assert_eq!(invoked["payload"], payload);
        let ended = fleet.finished(&format!("/v1/functions/{NAME}/executions/{id}")).await;
        assert_eq!((&ended["result"], &ended["attempts"]), (&json!(id), &json!(1)), "{ended}");
        ids.insert(0, id);
    }
    // What has left the queue is listed, so another execution would be, too.
    fleet.queue_is_empty().await;
    let listed: Value = fleet.get(&format!("/v1/functions/{NAME}/executions")).await.json().await.unwrap();
    let listed: Vec<&str> =
        listed["executions"].as_array().unwrap().iter().map(|execution| text(execution, "id")).collect();
    assert_eq!(listed, ids);
}

async fn create(fleet: &Fleet) {
    let client = Settings::of(fleet).rust(PATIENCE);
    let code = FunctionCode::builder().zip_file(Blob::new(zip(CODE))).build();
    let create = client.create_function().function_name(NAME).code(code).timeout(30);
    let create = create.runtime(Runtime::from("ruby3.4")).handler("function.handler");
    create.role("arn:aws:iam::000000000000:role/any").send().await.unwrap();
}

#[tokio::test]
async fn of_boto3() {
    check(async |settings, asked| asked.by_script(&settings, "invoke_with_boto3.py").await).await;
}

#[tokio::test]
async fn of_javascript() {
    check(async |settings, asked| asked.by_script(&settings, "invoke_with_javascript.mjs").await).await;
}

#[tokio::test]
async fn of_the_aws_cli() {
    check(async |settings, asked| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("payload.json");
        let (event, read_timeout) = (asked.event(), asked.read_timeout_s.to_string());
        let invoke = ["invoke", "--function-name", NAME, "--payload", &event, out.to_str().unwrap(), "--debug"];
        let how = ["--invocation-type", asked.invocation_type, "--cli-read-timeout", &read_timeout];
        let (_, said) = settings.aws(&[invoke.as_slice(), &how].concat()).await;
        let payload = std::fs::read_to_string(out).unwrap_or_else(|_| panic!("{said}"));
        json!({"id": request_id(&said), "payload": serde_json::from_str::<Value>(&payload).unwrap_or_default()})
    })
    .await;
}

#[tokio::test]
async fn of_rust() {
    check(async |settings, asked| {
        let client = settings.rust(Duration::from_secs(asked.read_timeout_s.into()));
        let invoke = client.invoke().function_name(NAME).payload(Blob::new(asked.event()));
        let invoked =
            invoke.invocation_type(InvocationType::from(asked.invocation_type)).send().await.unwrap();
        let payload = invoked.payload().map(Blob::as_ref).unwrap_or_default();
        let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
        json!({"id": invoked.request_id(), "payload": payload})
    })
    .await;
}
