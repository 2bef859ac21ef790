//! A typed client of Bad Lambda's HTTP API, for the command, for tests and for benchmarks. What it takes and gives are the
//! contract's own types, from `badlambda-shared`.
//!
//! A tour: [`Client`] is one API and what it asks of it. Each of its methods is one operation of the OpenAPI document and
//! has its name; they stand in `functions`, `versions`, `executions`, `maps`, `dead_letters` and `stats`. `request` sends, and
//! reads what is answered; [`Error`] is whatever goes wrong, an API's refusal ([`Problem`]) among it. [`Events`] are the
//! server-sent events of an execution.

#![forbid(unsafe_code)]

mod address;
mod code;
mod dead_letters;
mod error;
mod events;
mod executions;
mod functions;
mod lines;
mod maps;
mod page;
mod request;
mod stats;
mod versions;

pub use self::address::{Address, AddressError};
pub use self::code::Code;
pub use self::dead_letters::DeadLetterFilter;
pub use self::error::{Error, Problem, ProblemPart};
pub use self::events::{Event, Events};
pub use self::executions::{ExecutionFilter, OneShot, Submit};
pub use self::functions::{Entity, FunctionContent};
pub use self::lines::Lines;
pub use self::maps::SubmitMap;
pub use self::page::{Page, PageRange, collect_pages};
pub use self::request::{Answer, Client};
pub use reqwest::Body;
