//! AWS Lambda's own wire API, over the functions and executions that the rest of the API knows: for clients that are told
//! nothing but `AWS_ENDPOINT_URL_LAMBDA`.
//!
//! `routes` has every operation; who may call it is checked there, at one place. `call` is what a handler reads of a
//! request, `names` how a request names a function, `checks` what AWS's model demands of values, `errors` what is refused,
//! in AWS's words, and `finish` what stands around every request. What only this API knows of a function stands in its
//! manifest (`badlambda_shared::function::lambda`).

mod account_settings;
mod aliases;
mod call;
mod checks;
mod concurrency;
pub(crate) mod errors;
mod event_invoke;
mod event_sources;
mod finish;
mod fixed;
mod functions;
mod invoke;
mod layers;
mod markers;
mod names;
mod policy;
mod response;
mod routes;
mod tags;
mod versions;

pub(crate) use self::finish::finish;
pub(crate) use self::routes::routes;
