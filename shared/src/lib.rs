//! What the API and the worker have in common. They never meet but through what is written here: the
//! contract's types, and the two services that stand between them.
//!
//! A tour, in the order of an execution's path:
//! - [`name`], [`function`], with its versions and revisions, and [`execution`] are the contract's types, and [`id`] makes and checks the ids of
//!   executions. [`limits`] holds every limit and default with its reason.
//! - [`message`] reads both kinds of message that ask for an execution, and [`enqueue`] makes one; [`trace`] is what
//!   they carry of a trace, [`history`] what they carry of earlier attempts.
//! - [`queue`] and [`store`] are SQS and S3; AWS's types stop there. [`keys`] makes every S3 key,
//!   [`catalog`] reads functions, remembering what can be remembered. A [`record`] is what is stored of an execution, and
//!   [`records`] changes it: the first final form wins.
//! - [`layer`] is what functions share with one another: zips that are unpacked over one another, beside the code.
//! - [`index`] is what is listed of executions: segments of lines, each stored before its messages are deleted.
//! - [`map`] is one function over many inputs: what is stored of it, and the messages that ask for its chunks.
//! - [`dead_letters`] is where messages go that can't be run, and from where they come back.
//! - [`failure`] is what an execution's failure is told as, where AWS Lambda's clients or destinations hear of it.
//! - [`result_encoding`] is how results stand in JSON that are none, and [`event_stream`] what some clients read them from.
//! - [`signature`] checks that a request was signed as AWS's clients sign theirs.
//! - [`schema`] is how names, ids and times look in the API's OpenAPI document.
//! - [`config`], [`telemetry`], [`metrics`], [`shutdown`], [`health`], [`aws`] and [`retry`] are what every process needs
//!   around that.

#![forbid(unsafe_code)]

pub mod account;
pub mod alias;
pub mod aws;
pub mod catalog;
pub mod concurrency;
pub mod config;
pub mod dead_letters;
pub mod destinations;
pub mod enqueue;
pub mod event_sources;
pub mod event_stream;
pub mod execution;
pub mod failure;
pub mod function;
pub mod health;
pub mod history;
pub mod id;
pub mod index;
pub mod invocation;
pub mod keys;
pub mod layer;
pub mod limits;
pub mod logs;
pub mod map;
pub mod message;
pub mod metrics;
pub mod name;
pub mod package;
pub mod problem;
pub mod queue;
pub mod record;
pub mod records;
pub mod result_encoding;
pub mod retry;
pub mod schema;
pub mod shutdown;
pub mod signature;
pub mod stats;
pub mod store;
pub mod telemetry;
pub mod timestamp;
pub mod trace;
pub mod whole_number;

/// The allocator of every program that is linked to this: a short execution costs 8 % less CPU than with the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
