//! The JSON object with everything's addresses and credentials that `badlambda up` and `badlambda aws` print, and what
//! programs and tests make of it.

use std::process::Command;

use badlambda_shared::aws::queue::Queue;
use badlambda_shared::aws::store::Store;
use badlambda_shared::aws::{AwsClients, FixedEndpoint};
use badlambda_shared::dead_letters::DeadLetters;
use badlambda_shared::execution::records::Records;
use badlambda_shared::process::config::{Environment, SharedConfig};
use serde_json::Value;

/// Which environment variable holds which address.
const VARIABLES: [(&str, &str); 7] = [
    ("AWS_ENDPOINT_URL", "aws"),
    ("AWS_ACCESS_KEY_ID", "access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
    ("AWS_REGION", "region"),
    ("BADLAMBDA_QUEUE_URL", "queue_url"),
    ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "dead_letter_queue_url"),
    ("BADLAMBDA_BUCKET", "bucket"),
];

/// One of the addresses.
///
/// # Panics
/// When it is not there.
pub fn text<'a>(addresses: &'a Value, name: &str) -> &'a str {
    addresses[name].as_str().unwrap_or_else(|| panic!("no {name} in {addresses}"))
}

/// Tells an api or a worker where everything is. Without root, a worker can give no uids.
pub fn tell(command: &mut Command, addresses: &Value) {
    command.envs(VARIABLES.map(|(variable, name)| (variable, text(addresses, name))));
    if command.get_program().to_string_lossy().ends_with("badlambda-worker")
        && !nix::unistd::geteuid().is_root()
    {
        command.env("BADLAMBDA_ISOLATION", "unprivileged");
    }
}

/// The same clients that api and worker use.
pub fn clients(addresses: &Value) -> AwsClients {
    let text = |name| text(addresses, name).to_owned();
    AwsClients::fixed(FixedEndpoint {
        endpoint: text("aws"),
        access_key_id: text("access_key_id"),
        secret_access_key: text("secret_access_key"),
        region: text("region"),
    })
}

/// The queue as a producer has it.
pub fn queue(addresses: &Value) -> Queue {
    Queue::new(&clients(addresses), &config(addresses))
}

/// The bucket.
pub fn store(addresses: &Value) -> Store {
    Store::new(&clients(addresses), &config(addresses))
}

/// The records in the bucket.
pub fn records(addresses: &Value) -> Records {
    Records::new(store(addresses))
}

/// The dead-letter queue as an operator has it.
pub fn dead_letters(addresses: &Value) -> DeadLetters {
    DeadLetters::new(&queue(addresses), &store(addresses))
}

/// An address of loopback whose port was free a moment ago.
///
/// # Errors
/// When there is none.
pub fn free_address() -> std::io::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// As a program that is told of these addresses has it.
fn config(addresses: &Value) -> SharedConfig {
    let pairs = VARIABLES.map(|(variable, name)| (variable.to_owned(), text(addresses, name).to_owned()));
    let environment = Environment::from_pairs(pairs).unwrap_or_else(|error| panic!("{error}"));
    SharedConfig::from_environment(&environment).unwrap_or_else(|error| panic!("{error}"))
}
