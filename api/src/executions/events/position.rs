//! What a listener has been told of an execution, and what comes next. The id of each event says it, so that any api can
//! go on where another one's stream broke off.

use std::fmt;
use std::str::FromStr;

use axum::http::HeaderMap;
use badlambda_shared::execution::Status;
use badlambda_shared::execution::record::Record;
use badlambda_shared::limits;

use super::PIECE_BYTES;
use crate::http::error::ApiError;
use crate::http::part::Part;

/// As errors write the header's name.
pub(crate) const LAST_EVENT_ID: &str = "Last-Event-ID";

/// How much a listener has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// Of this attempt.
    attempts: u32,
    /// The last status; `None` before the first.
    status: Option<Status>,
    /// The logs up to here, in bytes.
    logs_end: u64,
}

/// A piece of the logs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins in the logs, in bytes.
    pub(super) offset: u64,
    pub(super) text: String,
}

impl Position {
    /// Where the client says that it is.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(Self::default()) };
        let position = value.to_str().ok().and_then(|text| text.parse().ok());
        let reason = "it must be the id of an event of this execution; leave it out to be told everything";
        position.ok_or_else(|| ApiError::invalid(Part::Header(LAST_EVENT_ID), reason))
    }

    /// Whether there will be nothing more to tell.
    pub(super) fn is_at_end_of(&self, record: &Record) -> bool {
        record.status.is_final() && self.has_told(record)
    }

    /// Whether the listener knows that the execution stands as the record says.
    pub(super) fn has_told(&self, record: &Record) -> bool {
        (self.attempts, self.status) == (record.attempts, Some(record.status))
    }

    /// Goes to the attempt that the record is of: each has logs of its own.
    pub(super) fn go_to_attempt_of(&mut self, record: &Record) {
        if self.attempts != record.attempts {
            *self = Self { attempts: record.attempts, ..Self::default() };
        }
    }

    /// Notes that the status was told.
    pub(super) fn tell_status(&mut self, record: &Record) {
        self.status = Some(record.status);
    }

    /// The logs behind this position, as far as the record of what runs has them; and goes behind them.
    pub(super) fn next_logs(&mut self, record: &Record) -> Option<Piece> {
        let (tail, end) = (record.logs_tail.as_ref()?, record.logs_bytes?);
        let begin = end.saturating_sub(tail.len() as u64);
        let offset = self.logs_end.max(begin);
        let behind = usize::try_from(offset - begin).ok()?;
        let text = tail.get(behind..).filter(|text| !text.is_empty())?;
        self.logs_end = end;
        Some(Piece { offset, text: text.to_owned() })
    }

    /// Where the next piece of the logs begins.
    pub(super) fn logs_end(&self) -> u64 {
        self.logs_end
    }

    /// Goes behind this piece of the logs.
    pub(super) fn tell_logs(&mut self, text: String) -> Piece {
        let offset = self.logs_end;
        self.logs_end += text.len() as u64;
        Piece { offset, text }
    }
}

/// As an event's id: `1.running.4096`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or(NO_STATUS, Status::name);
        write!(f, "{}.{status}.{}", self.attempts, self.logs_end)
    }
}

const NO_STATUS: &str = "none";

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let (Some(attempts), Some(status), Some(logs_end), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let status = match status {
            NO_STATUS => None,
            name => Some(serde_json::from_value(name.into()).map_err(drop)?),
        };
        let attempts = attempts.parse().map_err(drop)?;
        let logs_end = logs_end.parse().map_err(drop)?;
        // At the end of logs that were cut stands a line that says so.
        let most = limits::MAX_LOG_BYTES.range.end() + PIECE_BYTES;
        if logs_end > most { Err(()) } else { Ok(Self { attempts, status, logs_end }) }
    }
}

#[cfg(test)]
mod tests {
    use badlambda_shared::timestamp::Timestamp;

    use super::*;

    fn running(attempts: u32, tail: &str, logs_bytes: u64) -> Record {
        let at = Timestamp::from_unix_ms(0).unwrap();
        let queued = Record::queued("m-1".parse().unwrap(), "hello".parse().unwrap(), Some(3), at);
        let logs_tail = Some(tail.to_owned());
        Record { status: Status::Running, attempts, logs_tail, logs_bytes: Some(logs_bytes), ..queued }
    }

    fn next(position: &mut Position, record: &Record) -> Option<(u64, String)> {
        position.go_to_attempt_of(record);
        position.next_logs(record).map(|Piece { offset, text }| (offset, text))
    }

    #[test]
    fn logs_are_told_once() {
        let mut position = Position::default();
        assert_eq!(next(&mut position, &running(1, "one\n", 4)), Some((0, "one\n".to_owned())));
        assert_eq!(next(&mut position, &running(1, "one\n", 4)), None);
        assert_eq!(next(&mut position, &running(1, "one\ntwo\n", 8)), Some((4, "two\n".to_owned())));
        // More was logged than the record keeps: the offset shows what is left out.
        assert_eq!(next(&mut position, &running(1, "ten\n", 40)), Some((36, "ten\n".to_owned())));
        // The next attempt begins anew.
        assert_eq!(next(&mut position, &running(2, "one\n", 4)), Some((0, "one\n".to_owned())));
    }

    #[test]
    fn an_events_id_says_where_the_listener_is() {
        let mut position = Position::default();
        assert!(!position.has_told(&running(0, "", 0)));
        let record = running(2, "Zoë", 5004);
        position.go_to_attempt_of(&record);
        position.tell_status(&record);
        next(&mut position, &record).unwrap();
        assert_eq!(position.to_string(), "2.running.5004");
        assert_eq!("2.running.5004".parse(), Ok(position));
        assert!(position.has_told(&record) && !position.is_at_end_of(&record));
        assert_eq!(Position::default().to_string().parse(), Ok(Position::default()));
    }

    #[test]
    fn a_hostile_id_is_refused_or_harmless() {
        for id in [
            "",
            "1",
            "1.running",
            "1.running.x",
            "1.runs.0",
            "-1.running.0",
            "1.running.0.0",
            "1.\"queued\".0",
        ] {
            assert_eq!(id.parse::<Position>(), Err(()), "{id}");
        }
        assert_eq!(format!("1.running.{}", u64::MAX).parse::<Position>(), Err(()));
        for end in [1, 3, 1000] {
            let mut position: Position = format!("1.running.{end}").parse().unwrap();
            // The ë has two bytes, and the position may be within.
            let _ = next(&mut position, &running(1, "Zoë", 4));
        }
    }
}
