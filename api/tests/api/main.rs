//! The API in process on a free port, over the embedded SQS and S3, spoken to by plain HTTP.

mod dead_letters;
mod executions;
mod fixture;
mod functions;
mod idempotency;
mod lifecycle;
mod polling;
mod publishing;
mod refusals;
mod token_settings;
mod tokens;
