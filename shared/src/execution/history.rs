//! What earlier deliveries of an execution's message came to, as the message itself carries it.
//!
//! SQS counts how often a message was received, but not what became of it. So a worker that gives a message back on
//! purpose sends a copy, which carries the history so far, and deletes the original. What SQS hands out again by itself
//! was an attempt that got lost with its worker.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::execution::message::one_line;
use crate::limits;
use crate::timestamp::Timestamp;

/// The longest that a worker asks for: `BadLambda::Retry` waits up to 11 h.
const LONGEST_DELAY: Duration = Duration::from_secs(12 * 3600);

/// The attempts before the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttemptHistory {
    /// Attempts that began.
    pub attempts: u32,
    /// Attempts among them that got no outcome.
    pub lost: u32,
    /// Attempts among them that failed, and were to be tried again.
    pub failed: u32,
    /// Why the last of them got no outcome, where its worker lived to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the first message of this execution was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_sent_at: Option<Timestamp>,
    /// Not to be run before this time, where that is later than SQS can delay a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// Why a message is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenBack {
    /// No attempt began.
    NotStarted,
    /// No attempt began, since as many run of its function as may.
    AtCap,
    /// The attempt was broken off, since its worker stops.
    Stopped,
    /// The attempt has an outcome, which could not be stored.
    NotStored,
    /// The function failed, and is to be tried again.
    Failed,
    /// The attempt got no outcome, for this reason.
    Lost(String),
}

impl GivenBack {
    /// The names of all reasons, for metrics.
    pub const NAMES: [&'static str; 6] = ["not_started", "at_cap", "stopped", "not_stored", "failed", "lost"];

    /// The reason's name, for metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::AtCap => "at_cap",
            Self::Stopped => "stopped",
            Self::NotStored => "not_stored",
            Self::Failed => "failed",
            Self::Lost(_) => "lost",
        }
    }
}

impl AttemptHistory {
    /// Reads what a message carries. Whoever may send messages may write anything into it; what makes no sense counts
    /// as nothing.
    pub fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// As JSON, for a copy of the message.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The history at the `receive_count`th receive of a message that was sent at `sent_at` and carries this. Each
    /// receive before was an attempt that got lost.
    pub fn at_receive(self, receive_count: u32, sent_at: Timestamp) -> Self {
        let unaccounted = receive_count.saturating_sub(1);
        let longest = Timestamp::now().plus(LONGEST_DELAY);
        Self {
            attempts: self.attempts.max(self.lost).saturating_add(unaccounted),
            lost: self.lost.saturating_add(unaccounted),
            failed: self.failed,
            last_error: self.last_error.filter(|_| unaccounted == 0).map(|error| one_line(&error)),
            first_sent_at: Some(self.first_sent_at.map_or(sent_at, |at| at.min(sent_at))),
            not_before: self.not_before.filter(|at| *at <= longest),
        }
    }

    /// The history that a copy carries, where the message is given back, to be run again after `delay`.
    pub fn given_back(&self, why: &GivenBack, delay: Duration) -> Self {
        let began = !matches!(why, GivenBack::NotStarted | GivenBack::AtCap);
        let not_before = (delay > limits::SQS_LONGEST_DELAY).then(|| Timestamp::now().plus(delay));
        Self {
            attempts: self.attempts.saturating_add(u32::from(began)),
            lost: self.lost.saturating_add(u32::from(matches!(why, GivenBack::Lost(_)))),
            failed: self.failed.saturating_add(u32::from(*why == GivenBack::Failed)),
            last_error: match why {
                GivenBack::Lost(error) => Some(one_line(error)),
                _ => self.last_error.clone(),
            },
            first_sent_at: self.first_sent_at,
            not_before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(history: AttemptHistory, receive_count: u32) -> AttemptHistory {
        history.at_receive(receive_count, Timestamp::now())
    }

    fn counts(history: &AttemptHistory) -> (u32, u32, u32) {
        (history.attempts, history.lost, history.failed)
    }

    #[test]
    fn what_sqs_hands_out_again_was_a_lost_attempt() {
        assert_eq!(counts(&received(AttemptHistory::default(), 1)), (0, 0, 0));
        assert_eq!(counts(&received(AttemptHistory::default(), 3)), (2, 2, 0));
    }

    #[test]
    fn what_was_given_back_on_purpose_is_not_lost() {
        let mut history = AttemptHistory::default();
        for (why, expected) in [
            (GivenBack::NotStarted, (0, 0, 0)),
            (GivenBack::AtCap, (0, 0, 0)),
            (GivenBack::Stopped, (1, 0, 0)),
            (GivenBack::Failed, (2, 0, 1)),
            (GivenBack::NotStored, (3, 0, 1)),
            (GivenBack::Lost("no zygote".to_owned()), (4, 1, 1)),
        ] {
            history = received(history.given_back(&why, Duration::ZERO), 1);
            assert_eq!(counts(&history), expected, "{why:?}");
        }
        assert_eq!(history.last_error.as_deref(), Some("no zygote"));
        // The worker that took it next was killed.
        let history = received(history, 2);
        assert_eq!((counts(&history), history.last_error), ((5, 2, 1), None));
    }

    #[test]
    fn a_history_is_carried_as_json() {
        let sent_at = Timestamp::from_unix_ms(5).unwrap();
        let history = AttemptHistory::default().at_receive(2, sent_at);
        let carried =
            history.given_back(&GivenBack::Lost("no\nzygote".to_owned()), Duration::from_secs(3600));
        assert_eq!(AttemptHistory::read(Some(&carried.to_json())), carried);
        assert_eq!(carried.first_sent_at, Some(sent_at));
        assert!(carried.not_before.is_some_and(|at| at > Timestamp::now()));
        assert_eq!(AttemptHistory::read(None), AttemptHistory::default());
    }

    #[test]
    fn what_a_sender_makes_up_costs_only_its_own_message() {
        assert_eq!(AttemptHistory::read(Some("[[[")), AttemptHistory::default());
        let made_up = r#"{"attempts": 4294967295, "lost": 4294967295, "failed": 4294967295,
            "first_sent_at": "9999-12-31T23:59:59Z", "not_before": "9999-12-31T23:59:59Z"}"#;
        let history = received(AttemptHistory::read(Some(made_up)), 1);
        assert_eq!(history.not_before, None);
        assert!(history.first_sent_at.is_some_and(|at| at <= Timestamp::now()));
        let again = history.given_back(&GivenBack::Failed, Duration::ZERO);
        assert_eq!(received(again, u32::MAX).attempts, u32::MAX);
    }

    #[test]
    fn an_error_is_one_short_line() {
        let why = GivenBack::Lost("\u{1b}[2J\n".repeat(100_000));
        let error = AttemptHistory::default().given_back(&why, Duration::ZERO).last_error.unwrap();
        assert!(error.chars().count() <= limits::MAX_REASON_CHARS + 1, "{error}");
        assert!(!error.contains(char::is_control), "{error}");
    }
}
