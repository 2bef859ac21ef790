//! The event of an execution that failed for good, for the queue that its function names as AWS Lambda's dead-letter queue.

use badlambda_shared::aws::queue::Attribute;
use badlambda_shared::execution::message::ExecutionRequest;
use badlambda_shared::execution::record::Record;
use badlambda_shared::limits;

use super::{Notifier, NotifyError};

/// What AWS Lambda writes, whatever failed.
const ERROR_CODE: &str = "200";
/// Characters of the error's message.
const MOST_MESSAGE_CHARS: usize = 1024;

impl Notifier {
    /// Sends the event, and beside it which execution it was and why it failed.
    pub(super) async fn send_event(
        &self,
        queue: &str,
        request: &ExecutionRequest,
        record: &Record,
    ) -> Result<(), NotifyError> {
        let event = self.input(request).await?.ok_or(NotifyError::TooLarge)?;
        let error = record.error.as_ref().map_or("", |error| error.message.as_str());
        let error: String = error.chars().take(MOST_MESSAGE_CHARS).collect();
        let attribute = |name, data_type, text| Attribute { name, data_type, text };
        let attributes = [
            attribute("RequestID", "String", record.id.as_str()),
            attribute("ErrorCode", "Number", ERROR_CODE),
            attribute("ErrorMessage", "String", &error),
        ];
        let bytes = event.get().len() + attributes.iter().map(Attribute::bytes).sum::<usize>();
        if bytes > limits::SQS_MESSAGE_BYTES {
            return Err(NotifyError::TooLarge);
        }
        Ok(self.queue.send_elsewhere(queue, event.get(), &attributes).await?)
    }
}
