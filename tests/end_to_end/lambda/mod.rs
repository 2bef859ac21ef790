//! AWS Lambda's wire API over the whole system: what comes of invocations, and four clients that know nothing of this
//! system. Each lives the life of a function, and retries what was answered late or never.

mod asynchronous;
mod aws_cli;
mod event_sources;
mod invocations;
mod layers;
mod life;
pub mod programs;
mod retries;
mod rust_sdk;
mod signed;
mod streaming;

use badlambda_shared::function::package::Packer;

/// A zip with this as its `function.rb`.
pub fn zip(code: &str) -> Vec<u8> {
    let mut packer = Packer::default();
    packer.file("function.rb", code.as_bytes(), false).unwrap();
    packer.finish().unwrap()
}
