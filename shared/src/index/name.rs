//! Where segments lie, and what their names tell.

use std::fmt;
use std::str::FromStr;

use crate::index::Line;
use crate::timestamp::Timestamp;

/// What names count backwards from, so that the newest sorts first; the year 2286.
const LAST_MS: i64 = 9_999_999_999_999;
const HOUR_MS: i64 = 3_600_000;
const EXTENSION: &str = ".ndjson";

/// An hour in UTC, whose segments share a folder: `2026-11-30/03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The hour of this moment, in milliseconds since 1970.
    pub fn of(unix_ms: i64) -> Self {
        Self(unix_ms.clamp(0, LAST_MS).div_euclid(HOUR_MS))
    }

    /// The present hour.
    pub fn now() -> Self {
        Self::of(Timestamp::now().unix_ms())
    }

    /// So many hours before this one.
    pub fn before(self, hours: i64) -> Self {
        Self((self.0 - hours).max(0))
    }

    /// When it begins, in milliseconds since 1970.
    pub fn begins_at_ms(self) -> i64 {
        self.0 * HOUR_MS
    }

    /// When its last millisecond begins.
    pub fn ends_at_ms(self) -> i64 {
        self.begins_at_ms() + HOUR_MS - 1
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = Timestamp::from_unix_ms(self.begins_at_ms()).ok_or(fmt::Error)?.to_string();
        write!(f, "{}/{}", &begin[..10], &begin[11..13])
    }
}

impl FromStr for Hour {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (date, hour) = text.split_once('/').ok_or(NameError)?;
        let begin = format!("\"{date}T{hour}:00:00Z\"");
        let begin: Timestamp = serde_json::from_str(&begin).map_err(|_| NameError)?;
        let hour = Self::of(begin.unix_ms());
        if hour.to_string() == text { Ok(hour) } else { Err(NameError) }
    }
}

/// This is not the name of an hour or of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a name of the index")]
pub struct NameError;

/// A segment's name tells from when its lines are, so that a reader opens only those that it needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SegmentName {
    /// When the newest of its executions ended, in milliseconds since 1970.
    pub newest_ms: i64,
    /// When the oldest of them ended.
    pub oldest_ms: i64,
    /// How many lines it has.
    pub lines: usize,
    nonce: String,
}

impl SegmentName {
    /// The name for lines of one hour, the newest first. `None` for no lines.
    pub(crate) fn of(lines: &[Line], nonce: &str) -> Option<Self> {
        let (newest, oldest) = (lines.first()?.at_ms, lines.last()?.at_ms);
        Some(Self { newest_ms: newest, oldest_ms: oldest, lines: lines.len(), nonce: nonce.to_owned() })
    }

    /// The hour of its lines.
    pub fn hour(&self) -> Hour {
        Hour::of(self.newest_ms)
    }

    /// The name within the hour's folder.
    pub fn file_name(&self) -> String {
        let span_ms = self.newest_ms - self.oldest_ms;
        format!("{:013}-{span_ms}-{}-{}{EXTENSION}", LAST_MS - self.newest_ms, self.lines, self.nonce)
    }
}

impl FromStr for SegmentName {
    type Err = NameError;

    /// Reads the name within the hour's folder.
    fn from_str(file_name: &str) -> Result<Self, NameError> {
        let stem = file_name.strip_suffix(EXTENSION).ok_or(NameError)?;
        let mut parts = stem.splitn(4, '-');
        let mut part = || parts.next().ok_or(NameError);
        let (backwards, span, lines, nonce) = (part()?, part()?, part()?, part()?);
        let number = |text: &str| text.parse::<i64>().map_err(|_| NameError);
        let newest_ms = LAST_MS - number(backwards)?;
        let span_ms = number(span)?;
        let lines = lines.parse().map_err(|_| NameError)?;
        if !(0..=LAST_MS).contains(&newest_ms) || !(0..HOUR_MS).contains(&span_ms) {
            return Err(NameError);
        }
        Ok(Self { newest_ms, oldest_ms: newest_ms - span_ms, lines, nonce: nonce.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_a_folder() {
        let hour = Hour::of(1_796_007_787_123);
        assert_eq!(hour.to_string(), "2026-11-30/03");
        assert_eq!("2026-11-30/03".parse(), Ok(hour));
        assert_eq!(hour.before(4).to_string(), "2026-11-29/23");
        for bad in ["running/x", "2026-11-30", "2026-11-30/3", "2026-13-01/00", ""] {
            assert_eq!(bad.parse::<Hour>(), Err(NameError), "{bad}");
        }
    }

    #[test]
    fn a_newer_segment_sorts_first_and_tells_from_when_it_is() {
        let name = |newest_ms, oldest_ms| SegmentName { newest_ms, oldest_ms, lines: 3, nonce: "a-1".into() };
        let older = name(1_796_007_787_123, 1_796_007_784_123);
        let newer = name(1_796_007_787_124, 1_796_007_787_124);
        assert!(newer.file_name() < older.file_name());
        assert_eq!(older.file_name(), "8203992212876-3000-3-a-1.ndjson");
        assert_eq!(older.file_name().parse(), Ok(older));
        for bad in ["x.ndjson", "8203992212876-3000-3.ndjson", "8203992212876-3600000-3-a.ndjson", "1-0-1-a"]
        {
            assert!(bad.parse::<SegmentName>().is_err(), "{bad}");
        }
    }
}
