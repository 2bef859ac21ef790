//! The API in process on a free port, over the embedded SQS and S3, spoken to by plain HTTP.

mod bad_input;
mod batches;
mod conditions;
#[path = "../../../tests/conformance.rs"]
mod conformance;
mod console;
mod dead_letters;
mod delays;
mod executions;
mod fixture;
mod functions;
mod idempotency;
mod inputs;
mod lambda;
mod lifecycle;
mod maps;
mod one_shots;
mod openapi;
mod polling;
mod publishing;
mod refusals;
mod token_settings;
mod tokens;
mod zips;
