//! The life of a function, lived by each client: created from a zip, invoked in all ways, changed, published, put behind
//! an alias, listed, switched off and on, and deleted.

use badlambda_tests::addresses::text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::programs::Settings;
use super::{aws_cli, rust_sdk, zip};
use crate::fixtures::fleet::Fleet;

/// The name of the function.
pub const NAME: &str = "life";
const FIRST: &str = "def handler(event:, context:)\n  puts \"logged\"\n  \
                     \"#{ENV.fetch(\"GREETING\")}, #{event.fetch(\"name\")}!\"\nend\n";

/// The zips that a function's code is, one after the other.
pub struct Zips(TempDir);

impl Zips {
    fn written() -> Self {
        let zips = Self(TempDir::new().unwrap());
        let second = FIRST.replace("event.fetch", "\"dear \" + event.fetch");
        std::fs::write(zips.path("first.zip"), zip(FIRST)).unwrap();
        std::fs::write(zips.path("second.zip"), zip(&second)).unwrap();
        zips
    }

    /// The path of a file beside them, which need not be there.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

/// Checks what a client has seen, which is the same whoever looks.
fn check(mut seen: Value) {
    let tail = STANDARD.decode(text(&seen, "tail")).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    assert!(tail.starts_with("START RequestId: ") && tail.contains("\nlogged\nEND RequestId: "), "{tail}");
    // To JavaScript, 1 and 1.0 are one number.
    assert_eq!(seen["weights"]["2"].as_f64(), Some(1.0), "{seen}");
    let members = seen.as_object_mut().unwrap();
    members.retain(|name, _| name != "tail" && name != "weights");
    let expected = json!({
        "created": "Active",
        "invoked": "Hello, Ada!",
        "failed": [200, "Unhandled", "Function<KeyError>", "key not found: \"name\""],
        "dry_run": 204,
        "event": 202,
        "polled": "Hello, Eve!",
        "published": "1",
        "published_again": "2",
        "of_versions": [
            {"version": "1", "payload": "Good day, Ada!"},
            {"version": "2", "payload": "Good day, dear Ada!"},
            {"version": "$LATEST", "payload": "Good day, dear Ada!"},
        ],
        "of_alias": ["2", "1"],
        // Each page as it came.
        "functions": [["life"], ["other"]],
        "versions": [["$LATEST"], ["1"], ["2"]],
        "aliases": [["live"]],
        "reserved": 0,
        "switched_on": "$LATEST",
        "deleted": 204,
        "errors": {
            "switched_off": "TooManyRequestsException",
            "unsupported": "UnknownOperationException",
            "missing": "ResourceNotFoundException",
            "taken": "ResourceConflictException",
            "runtime": "InvalidParameterValueException",
            "payload": "InvalidRequestContentException",
            "revision": "PreconditionFailedException",
            "deleted": "ResourceNotFoundException",
        },
    });
    assert_eq!(seen, expected, "{seen:#}");
}

async fn lived_by_script(script: &str) -> Value {
    let (fleet, zips) = (Fleet::start().await, Zips::written());
    let arguments = [NAME, &zips.path("first.zip"), &zips.path("second.zip")];
    Settings::of(&fleet).script(script, &arguments).await
}

#[tokio::test]
async fn with_boto3() {
    check(lived_by_script("with_boto3.py").await);
}

#[tokio::test]
async fn with_javascript() {
    check(lived_by_script("with_javascript.mjs").await);
}

#[tokio::test]
async fn with_rust() {
    let (fleet, zips) = (Fleet::start().await, Zips::written());
    check(rust_sdk::live(&Settings::of(&fleet), &zips).await);
}

#[tokio::test]
async fn with_the_aws_cli() {
    let (fleet, zips) = (Fleet::start().await, Zips::written());
    check(aws_cli::live(&Settings::of(&fleet), &zips).await);
}
