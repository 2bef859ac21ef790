//! What the end-to-end tests, the benchmarks and `badlambda-chaos` have in common: an SQS and S3 that fail (`faults`),
//! and what is made of the addresses that the embedded ones tell (`addresses`). `parsers` are what is fuzzed.

#![forbid(unsafe_code)]

pub mod addresses;
pub mod faults;
pub mod parsers;
