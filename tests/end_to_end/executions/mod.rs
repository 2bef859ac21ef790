//! Executions: what goes in, what comes out, and how often it is tried.

mod attempts;
mod bad_input;
mod bad_ruby;
mod batches;
mod cancel;
mod delays;
mod destinations;
mod events;
mod examples;
mod functions;
mod gems;
mod inputs;
mod lists;
mod one_shots;
mod presigned;
mod records;
mod results;
mod revisions;
mod traces;
mod zips;
