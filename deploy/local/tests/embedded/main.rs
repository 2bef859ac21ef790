//! The embedded servers, as AWS's own SDK sees them.

mod durability;
mod fixture;
mod s3;
mod sqs;
mod sqs_batches;
