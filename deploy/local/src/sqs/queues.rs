//! Queues and their attributes.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction};
use serde::Deserialize;

use super::error::SqsError;
use super::messages::MAX_MESSAGE_BYTES;
use crate::now_ms;

/// The account that everything belongs to.
pub(crate) const ACCOUNT: &str = "000000000000";

/// Attributes that can be set: name, default, least and most where it is a number.
const NUMBERS: [(&str, i64, i64, i64); 5] = [
    ("DelaySeconds", 0, 0, 900),
    ("MaximumMessageSize", MAX_MESSAGE_BYTES as i64, 1024, MAX_MESSAGE_BYTES as i64),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
    ("VisibilityTimeout", 30, 0, 43_200),
];
/// Attributes that are kept and given back, but change nothing here.
const KEPT: [&str; 4] = ["Policy", "RedriveAllowPolicy", "KmsMasterKeyId", "SqsManagedSseEnabled"];
const REDRIVE_POLICY: &str = "RedrivePolicy";
/// How the names of all counts begin.
const COUNTS: &str = "ApproximateNumberOfMessages";

/// A queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    created_at: i64,
    modified_at: i64,
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedrivePolicy {
    dead_letter_target_arn: String,
    #[serde(deserialize_with = "number_or_text")]
    pub(crate) max_receive_count: i64,
}

impl RedrivePolicy {
    /// The name of the dead-letter queue.
    pub(crate) fn target(&self) -> &str {
        self.dead_letter_target_arn.rsplit(':').next().unwrap_or_default()
    }
}

/// SDKs send the count in either form.
fn number_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

impl Queue {
    /// The queue of this name.
    pub(crate) fn find(transaction: &Transaction<'_>, name: &str) -> Result<Self, SqsError> {
        let sql = "SELECT id, name, attributes, created_at, modified_at FROM queues WHERE name = ?";
        let found = transaction.prepare_cached(sql)?.query_row([name], |row| {
            let attributes: String = row.get(2)?;
            Ok(Self {
                id: row.get(0)?,
                name: row.get(1)?,
                attributes: serde_json::from_str(&attributes).unwrap_or_default(),
                created_at: row.get(3)?,
                modified_at: row.get(4)?,
            })
        });
        found.optional()?.ok_or(SqsError::QueueDoesNotExist)
    }

    /// Makes the queue, or finds that it exists with the same attributes.
    pub(crate) fn create(
        transaction: &Transaction<'_>,
        name: &str,
        attributes: BTreeMap<String, String>,
    ) -> Result<(), SqsError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 80 || !name.chars().all(plain) {
            let message =
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(SqsError::InvalidParameterValue(message.to_owned()));
        }
        check(transaction, &attributes)?;
        match Self::find(transaction, name) {
            Ok(existing) => {
                match attributes.iter().find(|(name, value)| existing.get(name).as_ref() != Some(value)) {
                    Some((name, _)) => Err(SqsError::QueueNameExists(name.clone())),
                    None => Ok(()),
                }
            }
            Err(SqsError::QueueDoesNotExist) => {
                let sql =
                    "INSERT INTO queues (name, attributes, created_at, modified_at) VALUES (?, ?, ?, ?)";
                let now = now_ms();
                transaction.execute(sql, (name, to_json(&attributes)?, now, now))?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Sets attributes, and leaves the others.
    pub(crate) fn set(
        mut self,
        transaction: &Transaction<'_>,
        attributes: BTreeMap<String, String>,
    ) -> Result<(), SqsError> {
        check(transaction, &attributes)?;
        self.attributes.extend(attributes);
        // An empty policy takes back the one that was there.
        self.attributes.retain(|_, value| !value.is_empty());
        let sql = "UPDATE queues SET attributes = ?, modified_at = ? WHERE id = ?";
        transaction.execute(sql, (to_json(&self.attributes)?, now_ms(), self.id))?;
        Ok(())
    }

    /// A number among the attributes, or its default.
    pub(crate) fn number(&self, name: &str) -> i64 {
        let default =
            NUMBERS.iter().find(|(known, ..)| *known == name).map_or(0, |(_, default, ..)| *default);
        self.attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The redrive policy, if there is one.
    pub(crate) fn redrive_policy(&self) -> Option<RedrivePolicy> {
        serde_json::from_str(self.attributes.get(REDRIVE_POLICY)?).ok()
    }

    /// The queue's ARN.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:sqs:{}:{ACCOUNT}:{}", crate::REGION, self.name)
    }

    /// Deletes what is older than the queue keeps messages.
    pub(crate) fn expire(&self, transaction: &Transaction<'_>, now: i64) -> Result<(), SqsError> {
        let oldest = now - self.number("MessageRetentionPeriod") * 1000;
        let sql = "DELETE FROM messages WHERE queue = ? AND sent_at < ?";
        transaction.prepare_cached(sql)?.execute((self.id, oldest))?;
        Ok(())
    }

    fn get(&self, name: &str) -> Option<String> {
        let is_number = NUMBERS.iter().any(|(known, ..)| *known == name);
        self.attributes.get(name).cloned().or_else(|| is_number.then(|| self.number(name).to_string()))
    }

    /// How many messages can be received, are in flight, and are delayed.
    fn count(&self, transaction: &Transaction<'_>) -> Result<[(&'static str, i64); 3], SqsError> {
        let now = now_ms();
        self.expire(transaction, now)?;
        let ready = "SELECT count(*) FROM messages WHERE queue = ? AND ready = 1";
        let ready: i64 = transaction.prepare_cached(ready)?.query_row([self.id], |row| row.get(0))?;
        // Those that are due become ready only when somebody looks for them.
        let others = "SELECT count(*) FILTER (WHERE visible_at <= ?2), \
                      count(*) FILTER (WHERE visible_at > ?2 AND receives > 0), \
                      count(*) FILTER (WHERE visible_at > ?2 AND receives = 0) \
                      FROM messages WHERE queue = ?1 AND ready = 0";
        let mut others = transaction.prepare_cached(others)?;
        let (due, in_flight, delayed): (i64, i64, i64) =
            others.query_row((self.id, now), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok([
            ("ApproximateNumberOfMessages", ready + due),
            ("ApproximateNumberOfMessagesNotVisible", in_flight),
            ("ApproximateNumberOfMessagesDelayed", delayed),
        ])
    }

    /// All attributes that `wanted` names, with what can be counted.
    pub(crate) fn describe(
        &self,
        transaction: &Transaction<'_>,
        wanted: &[String],
    ) -> Result<BTreeMap<String, String>, SqsError> {
        let mut all = self.attributes.clone();
        for (name, ..) in NUMBERS {
            all.insert(name.to_owned(), self.number(name).to_string());
        }
        all.extend([
            ("QueueArn".to_owned(), self.arn()),
            ("CreatedTimestamp".to_owned(), (self.created_at / 1000).to_string()),
            ("LastModifiedTimestamp".to_owned(), (self.modified_at / 1000).to_string()),
        ]);
        let every = wanted.iter().any(|name| name == "All");
        if every || wanted.iter().any(|name| name.starts_with(COUNTS)) {
            all.extend(self.count(transaction)?.map(|(name, count)| (name.to_owned(), count.to_string())));
        }
        if let Some(unknown) = wanted.iter().find(|name| *name != "All" && !is_known(name)) {
            return Err(SqsError::InvalidAttributeName(unknown.clone()));
        }
        all.retain(|name, _| every || wanted.contains(name));
        Ok(all)
    }
}

fn is_known(name: &str) -> bool {
    let counted = ["QueueArn", "CreatedTimestamp", "LastModifiedTimestamp"].contains(&name)
        || ["", "NotVisible", "Delayed"].iter().any(|kind| name.strip_prefix(COUNTS) == Some(*kind));
    counted || is_settable(name)
}

fn is_settable(name: &str) -> bool {
    NUMBERS.iter().any(|(known, ..)| *known == name) || KEPT.contains(&name) || name == REDRIVE_POLICY
}

fn check(transaction: &Transaction<'_>, attributes: &BTreeMap<String, String>) -> Result<(), SqsError> {
    for (name, value) in attributes {
        if name == "FifoQueue" {
            let message = "the embedded SQS has standard queues only".to_owned();
            return Err(SqsError::UnsupportedOperation(message));
        }
        if !is_settable(name) {
            return Err(SqsError::InvalidAttributeName(name.clone()));
        }
        if let Some((_, _, least, most)) = NUMBERS.iter().find(|(known, ..)| known == name)
            && !value.parse::<i64>().is_ok_and(|number| (*least..=*most).contains(&number))
        {
            return Err(SqsError::InvalidAttributeValue(name.clone()));
        }
        if name == REDRIVE_POLICY && !value.is_empty() {
            let policy: RedrivePolicy =
                serde_json::from_str(value).map_err(|_| SqsError::InvalidAttributeValue(name.clone()))?;
            if policy.max_receive_count < 1 || Queue::find(transaction, policy.target()).is_err() {
                return Err(SqsError::InvalidAttributeValue(name.clone()));
            }
        }
    }
    Ok(())
}

fn to_json(attributes: &BTreeMap<String, String>) -> Result<String, SqsError> {
    serde_json::to_string(attributes).map_err(|error| SqsError::Internal(error.to_string()))
}
