//! What the API and the worker have in common. They never meet but through what is written here: the
//! contract's types, and the two services that stand between them.
//!
//! A tour:
//! - [`function`]: functions as the contract shows them and S3 holds them, with their names, versions, aliases, code in
//!   zips and layers. Its `catalog` reads them, and remembers what can be remembered.
//! - [`execution`]: an execution's record, and its way there. `enqueue` makes the message that asks for an execution,
//!   `message` reads it, `history` is what the message carries of earlier attempts, and `records` changes the record: the
//!   first final form wins.
//! - [`map`] is one function over many inputs: what is stored of it, and the messages that ask for its chunks.
//! - [`index`] is what is listed of executions: segments of lines, each stored before its messages are deleted.
//! - [`dead_letters`] is where messages go that can't be run, and from where they come back.
//! - [`aws`]: `queue` and `store` are SQS and S3, and AWS's types stop there. `signature` checks that a request was signed
//!   as AWS's clients sign theirs.
//! - [`process`] is what every process needs around that: settings, signals, logs, metrics.
//! - [`limits`] holds every limit and default with its reason, [`keys`] makes every S3 key, and [`schema`] is how names,
//!   ids and times look in the API's OpenAPI document.

#![forbid(unsafe_code)]

pub mod aws;
pub mod dead_letters;
pub mod execution;
pub mod function;
pub mod index;
pub mod keys;
pub mod limits;
pub mod map;
pub mod problem;
pub mod process;
pub mod schema;
pub mod stats;
pub mod timestamp;
pub mod whole_number;

/// The allocator of every program that is linked to this: a short execution costs 8 % less CPU than with the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
