//! The `badlambda` command. A tour: [`arguments`] is the command line; [`run`], [`up`] and [`aws`] are its three
//! commands. [`system`] starts the whole system in this process, [`client`] talks to it over HTTP like any other
//! client, and [`progress`] is what a person sees meanwhile.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod aws;
pub mod client;
pub mod progress;
pub mod run;
pub mod system;
pub mod up;
