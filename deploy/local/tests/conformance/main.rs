//! What the embedded SQS and S3 promise, asked of them as everything else asks: over the wire, by AWS's own SDK.

mod durability;
mod fixture;
mod kill;
mod s3;
mod s3_conditions;
mod s3_urls;
mod sqs;
mod sqs_batches;
mod sqs_groups;
mod sqs_queues;
