//! Every call that the programs make to AWS, and the permission that it needs.

use Program::{Api, Worker};
use Resource::{Bucket, DeadLetterQueue, Keys, Queue, Tasks};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    Api,
    Worker,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Queue,
    DeadLetterQueue,
    Bucket,
    /// Objects whose keys begin so.
    Keys(&'static str),
    /// Those of the cluster.
    Tasks,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub program: Program,
    /// By the SDK's name; of a URL that is signed for others with `presigned` before it.
    pub operation: &'static str,
    pub action: &'static str,
    pub resource: Resource,
}

const fn call(program: Program, operation: &'static str, action: &'static str, resource: Resource) -> Call {
    Call { program, operation, action, resource }
}

/// All of them. Actions as in the service authorization reference:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.
///
/// `HeadBucket` is not all that needs `s3:ListBucket`: without it, S3 answers 403 instead of 404 to who asks for an
/// object that is not there, as both programs do all the time.
#[rustfmt::skip]
pub const CALLS: &[Call] = &[
    call(Api, "SendMessageBatch", "sqs:SendMessage", Queue),
    call(Api, "SendMessage", "sqs:SendMessage", Queue),
    call(Api, "GetQueueAttributes", "sqs:GetQueueAttributes", Queue),
    call(Api, "ReceiveMessage", "sqs:ReceiveMessage", DeadLetterQueue),
    call(Api, "DeleteMessageBatch", "sqs:DeleteMessage", DeadLetterQueue),
    call(Api, "ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility", DeadLetterQueue),
    call(Api, "GetQueueAttributes", "sqs:GetQueueAttributes", DeadLetterQueue),
    call(Api, "HeadBucket", "s3:ListBucket", Bucket),
    call(Api, "ListObjectsV2", "s3:ListBucket", Keys("functions/")),
    call(Api, "GetObject", "s3:GetObject", Keys("functions/")),
    call(Api, "PutObject", "s3:PutObject", Keys("functions/")),
    call(Api, "DeleteObject", "s3:DeleteObject", Keys("functions/")),
    call(Api, "GetObject", "s3:GetObject", Keys("event-sources/")),
    call(Api, "PutObject", "s3:PutObject", Keys("event-sources/")),
    call(Api, "GetObject", "s3:GetObject", Keys("code/")),
    call(Api, "PutObject", "s3:PutObject", Keys("code/")),
    call(Api, "ListObjectsV2", "s3:ListBucket", Keys("layers/")),
    call(Api, "GetObject", "s3:GetObject", Keys("layers/")),
    call(Api, "PutObject", "s3:PutObject", Keys("layers/")),
    call(Api, "PutObject", "s3:PutObject", Keys("runs/")),
    call(Api, "GetObject", "s3:GetObject", Keys("executions/")),
    call(Api, "presigned GetObject", "s3:GetObject", Keys("executions/")),
    call(Api, "PutObject", "s3:PutObject", Keys("executions/")),
    call(Api, "GetObject", "s3:GetObject", Keys("idempotency/")),
    call(Api, "PutObject", "s3:PutObject", Keys("idempotency/")),
    call(Api, "ListObjectsV2", "s3:ListBucket", Keys("index/")),
    call(Api, "GetObject", "s3:GetObject", Keys("index/")),
    call(Api, "PutObject", "s3:PutObject", Keys("index/")),
    call(Api, "GetObject", "s3:GetObject", Keys("dead-letters/")),
    call(Api, "ListObjectsV2", "s3:ListBucket", Keys("maps/")),
    call(Api, "GetObject", "s3:GetObject", Keys("maps/")),
    call(Api, "PutObject", "s3:PutObject", Keys("maps/")),
    call(Api, "DeleteObject", "s3:DeleteObject", Keys("maps/")),
    call(Worker, "ReceiveMessage", "sqs:ReceiveMessage", Queue),
    call(Worker, "DeleteMessageBatch", "sqs:DeleteMessage", Queue),
    call(Worker, "ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility", Queue),
    call(Worker, "SendMessageBatch", "sqs:SendMessage", Queue),
    call(Worker, "GetQueueAttributes", "sqs:GetQueueAttributes", Queue),
    call(Worker, "SendMessage", "sqs:SendMessage", DeadLetterQueue),
    call(Worker, "GetObject", "s3:GetObject", Keys("functions/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("event-sources/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("concurrency/")),
    call(Worker, "PutObject", "s3:PutObject", Keys("concurrency/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("code/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("runs/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("executions/")),
    call(Worker, "GetObject", "s3:ListBucket", Bucket),
    call(Worker, "presigned GetObject", "s3:GetObject", Keys("executions/")),
    call(Worker, "PutObject", "s3:PutObject", Keys("executions/")),
    call(Worker, "PutObject", "s3:PutObject", Keys("dead-letters/")),
    call(Worker, "DeleteObject", "s3:DeleteObject", Keys("executions/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("maps/")),
    call(Worker, "PutObject", "s3:PutObject", Keys("maps/")),
    call(Worker, "ListObjectsV2", "s3:ListBucket", Keys("index/")),
    call(Worker, "GetObject", "s3:GetObject", Keys("index/")),
    call(Worker, "PutObject", "s3:PutObject", Keys("index/")),
    call(Worker, "DeleteObject", "s3:DeleteObject", Keys("index/")),
    // ECS's agent makes it for the task, with the task's role.
    call(Worker, "UpdateTaskProtection", "ecs:UpdateTaskProtection", Tasks),
];
