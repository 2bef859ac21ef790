//! What the embedded SQS and S3 promise, asked of them as everything else asks: over the wire, by AWS's own SDK.

mod durability;
mod fixture;
mod s3;
mod sqs;
mod sqs_batches;
mod sqs_queues;
