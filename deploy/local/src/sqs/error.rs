//! SQS's errors, as AWS's SDKs know them.

use crate::database::DatabaseError;

/// An error of SQS.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SqsError {
    /// There is no such queue.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// There is one, with other attributes.
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    /// A parameter holds what it must not.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A parameter is absent.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    /// An attribute's value is wrong.
    #[error("Invalid value for the parameter {0}.")]
    InvalidAttributeValue(String),
    /// There is no such attribute.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// A receipt handle is not one.
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    /// The message is not in flight.
    #[error("The message referred to is not in flight.")]
    MessageNotInflight,
    /// The body has characters that XML has not.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF."
    )]
    InvalidMessageContents,
    /// A batch without entries.
    #[error("There should be at least one entry in the request.")]
    EmptyBatchRequest,
    /// A batch with more than ten.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    /// Two entries of a batch have the same id.
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    /// An entry's id has another form.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    /// A batch is too large.
    #[error("Batch requests cannot be longer than {0} bytes.")]
    BatchRequestTooLong(usize),
    /// An operation or a feature that is not here.
    #[error("{0}")]
    UnsupportedOperation(String),
    /// The request is not JSON, or not of the right shape.
    #[error("{0}")]
    Serialization(String),
    /// The database failed.
    #[error("The messages could not be read or written: {0}")]
    Internal(String),
}

impl SqsError {
    /// Its name in the JSON protocol.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "QueueDoesNotExist",
            Self::QueueNameExists(_) => "QueueNameExists",
            Self::InvalidParameterValue(_) => "InvalidParameterValue",
            Self::MissingParameter(_) => "MissingParameter",
            Self::InvalidAttributeValue(_) => "InvalidAttributeValue",
            Self::InvalidAttributeName(_) => "InvalidAttributeName",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "MessageNotInflight",
            Self::InvalidMessageContents => "InvalidMessageContents",
            Self::EmptyBatchRequest => "EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest(_) => "TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct(_) => "BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "InvalidBatchEntryId",
            Self::BatchRequestTooLong(_) => "BatchRequestTooLong",
            Self::UnsupportedOperation(_) => "UnsupportedOperation",
            Self::Serialization(_) => "SerializationException",
            Self::Internal(_) => "InternalError",
        }
    }

    /// Its name in the older query protocol, which SDKs still show.
    pub(crate) fn query_name(&self) -> String {
        match self {
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
            Self::QueueNameExists(_) => "QueueAlreadyExists".to_owned(),
            Self::EmptyBatchRequest
            | Self::TooManyEntriesInBatchRequest(_)
            | Self::BatchEntryIdsNotDistinct(_)
            | Self::InvalidBatchEntryId
            | Self::BatchRequestTooLong(_)
            | Self::MessageNotInflight
            | Self::UnsupportedOperation(_) => format!("AWS.SimpleQueueService.{}", self.name()),
            other => other.name().to_owned(),
        }
    }

    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Internal(_))
    }
}

impl From<DatabaseError> for SqsError {
    fn from(error: DatabaseError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<rusqlite::Error> for SqsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Internal(error.to_string())
    }
}
