//! Attributes: those of a queue, as SQS writes them, and those of a message, as SQS takes them.

use std::time::Duration;

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};

use super::{QueueError, unfit};
use crate::execution::trace::Trace;
use crate::limits;

/// The type of every attribute that is ours.
pub(super) const STRING_TYPE: &str = "String";

/// How many messages a queue holds, as far as SQS knows: its counts are behind by up to a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Waiting to be received.
    pub visible: u64,
    /// Received, and not deleted.
    pub held: u64,
    /// Not to be received yet.
    pub delayed: u64,
}

/// An attribute of a message to another queue.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// Its name.
    pub name: &'a str,
    /// `String` or `Number`.
    pub data_type: &'a str,
    /// What SQS does not take of it is left out.
    pub text: &'a str,
}

impl Attribute<'_> {
    /// Its size as SQS counts it.
    pub fn bytes(&self) -> usize {
        self.name.len() + self.data_type.len() + self.text.len()
    }

    pub(super) fn value(&self, operation: &'static str) -> Result<MessageAttributeValue, QueueError> {
        let mut value = string_attribute(operation, self.text)?;
        self.data_type.clone_into(&mut value.data_type);
        Ok(value)
    }
}

/// What is set for a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// How often a message may be received before SQS itself moves it to the dead-letter queue; `None` for ever.
    pub max_receives: Option<u32>,
    /// How long a message may stay in the queue.
    pub retention: Duration,
}

impl QueueLimits {
    /// What the deployment sets.
    pub const USUAL: Self =
        Self { max_receives: Some(limits::USUAL_MAX_RECEIVES), retention: limits::SQS_RETENTION };
}

/// AWS writes the number as a number or as a string.
pub(super) fn max_receives(policy: impl AsRef<str>) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(policy.as_ref()).ok()?;
    let most = &policy["maxReceiveCount"];
    let number = most.as_u64().or_else(|| most.as_str()?.parse().ok());
    number.and_then(|number| u32::try_from(number).ok())
}

/// A string attribute, without what SQS does not take: it has only what XML has, and nothing empty.
pub(super) fn string_attribute(
    operation: &'static str,
    text: &str,
) -> Result<MessageAttributeValue, QueueError> {
    let accepted = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(accepted).collect();
    let text = if text.is_empty() { "-".to_owned() } else { text };
    MessageAttributeValue::builder()
        .data_type(STRING_TYPE)
        .string_value(text)
        .build()
        .map_err(|error| unfit(operation, &error))
}

/// X-Ray's header as a system attribute, which SQS counts towards no ceiling.
pub(super) fn trace_header(
    operation: &'static str,
    trace: &Trace,
) -> Result<Option<(MessageSystemAttributeNameForSends, MessageSystemAttributeValue)>, QueueError> {
    let Some(header) = trace.xray() else { return Ok(None) };
    let value = MessageSystemAttributeValue::builder().data_type(STRING_TYPE).string_value(header).build();
    let value = value.map_err(|error| unfit(operation, &error))?;
    Ok(Some((MessageSystemAttributeNameForSends::AwsTraceHeader, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_tells_the_most_receives() {
        assert_eq!(max_receives(r#"{"deadLetterTargetArn":"a","maxReceiveCount":10}"#), Some(10));
        assert_eq!(max_receives(r#"{"maxReceiveCount":"3"}"#), Some(3));
        assert_eq!(max_receives("nonsense"), None);
    }

    #[test]
    fn an_attribute_holds_what_sqs_takes() {
        let text = |given| string_attribute("SendMessage", given).unwrap().string_value.unwrap();
        assert_eq!(text("a\u{0}b\u{ffff}\n"), "ab");
        assert_eq!(text(""), "-");
    }
}
