//! The `badlambda` command. A tour: [`arguments`] is the command line. [`local`] holds what runs the system in this
//! process: `run`, `up` and `aws`; [`dev`], [`map`] and [`mcp`] may do so, too. All other commands talk to an API, wherever it
//! is: [`connection`] finds out which, and [`output`] prints what was asked for, and says with which status it ends.
//! [`functions`], [`executions`] and [`dead_letters`] are the nouns, [`deploy`], [`invoke`], [`logs`], [`stats`], [`cost`],
//! [`token`], [`doctor`] and [`api`] what stands alone; [`completions`] are for shells, [`manual`] for packages; [`input`],
//! [`code`] and [`config`] read what a command is given, and [`process`] runs it to its end.

#![forbid(unsafe_code)]

pub mod api;
pub mod arguments;
pub mod code;
pub mod completions;
pub mod config;
pub mod connection;
pub mod cost;
pub mod dead_letters;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod executions;
pub mod functions;
pub mod input;
pub mod invoke;
pub mod local;
pub mod logs;
pub mod manual;
pub mod map;
pub mod mcp;
pub mod output;
pub mod process;
pub mod stats;
pub mod token;
