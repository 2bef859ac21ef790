//! Where a function wants it told how its executions end: queues of SQS, by their ARNs, as AWS Lambda's destinations.

use serde::{Deserialize, Serialize};

/// The destinations of one function, or of one asynchronous call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Destinations {
    /// For those that succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// For those that fail for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// For the events of those that fail for good, as AWS Lambda's dead-letter queues get them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<String>,
}

/// A queue, as its ARN names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueArn<'a> {
    /// The region it is in.
    pub region: &'a str,
    /// The account that owns it, 12 digits.
    pub account: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> QueueArn<'a> {
    /// Reads `arn:aws:sqs:REGION:ACCOUNT:NAME`; `None` where it is something else.
    pub fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.split(':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let is_word = |text: &str, also: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
        };
        let is_valid = scheme == "arn"
            && partition.starts_with("aws")
            && is_word(partition, b"-")
            && service == "sqs"
            && is_word(region, b"-")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && name.len() <= 80
            && is_word(name.strip_suffix(".fifo").unwrap_or(name), b"-_")
            && parts.next().is_none();
        is_valid.then_some(Self { region, account, name })
    }

    /// The queue's URL, on the same server as the queue with the URL `beside`.
    pub fn url(&self, beside: &str) -> Option<String> {
        let (rest, _) = beside.rsplit_once('/')?;
        let (server, _) = rest.rsplit_once('/')?;
        Some(format!("{server}/{}/{}", self.account, self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_queue() {
        let arn = QueueArn::parse("arn:aws:sqs:eu-west-1:111122223333:done").unwrap();
        assert_eq!((arn.region, arn.account, arn.name), ("eu-west-1", "111122223333", "done"));
        let beside = "https://sqs.eu-west-1.amazonaws.com/444455556666/executions";
        assert_eq!(arn.url(beside).unwrap(), "https://sqs.eu-west-1.amazonaws.com/111122223333/done");
        for other in [
            "",
            "done",
            "arn:aws:sns:eu-west-1:111122223333:done",
            "arn:aws:sqs:eu-west-1:1:done",
            "arn:aws:sqs:eu-west-1:111122223333:",
            "arn:aws:sqs:eu-west-1:111122223333:a/b",
            "arn:aws:sqs::111122223333:done",
            "arn:aws:sqs:eu-west-1:111122223333:done:x",
            "arn:evil:sqs:eu-west-1:111122223333:done",
        ] {
            assert_eq!(QueueArn::parse(other), None, "{other}");
        }
    }
}
