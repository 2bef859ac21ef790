//! Times as the contract writes them: RFC 3339, in UTC, with milliseconds.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Those that RFC 3339 can write.
const YEARS: RangeInclusive<i32> = 0..=9999;

const LAST: Timestamp = Timestamp(time::macros::datetime!(9999-12-31 23:59:59.999 UTC));

/// A moment in UTC, kept to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The beginning of 1970.
    pub const EPOCH: Self = Self(OffsetDateTime::UNIX_EPOCH);

    /// The present moment.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The moment `unix_ms` milliseconds after 1970, or `None` where RFC 3339 has no year for it.
    pub fn from_unix_ms(unix_ms: i64) -> Option<Self> {
        let nanoseconds = i128::from(unix_ms) * 1_000_000;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
        YEARS.contains(&moment.year()).then_some(Self(moment))
    }

    /// Milliseconds since 1970.
    pub fn unix_ms(self) -> i64 {
        (self.0.unix_timestamp_nanos() / 1_000_000) as i64
    }

    /// How long ago this was; nothing if it lies in the future.
    pub fn age(self) -> Duration {
        self.until(Self::now())
    }

    /// The moment `later` after this one, or the last that can be written.
    pub fn plus(self, later: Duration) -> Self {
        let later_ms = i64::try_from(later.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_ms(self.unix_ms().saturating_add(later_ms)).unwrap_or(LAST)
    }

    /// How long until this is reached; nothing if it has passed.
    pub fn remaining(self) -> Duration {
        Self::now().until(self)
    }

    /// The time from this moment to `later`; nothing if that is earlier.
    pub fn until(self, later: Self) -> Duration {
        let between_ms = later.unix_ms().saturating_sub(self.unix_ms());
        Duration::from_millis(between_ms.try_into().unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let exact = OffsetDateTime::from(time);
        let milliseconds = u32::from(exact.millisecond()) * 1_000_000;
        Self(exact.replace_nanosecond(milliseconds).unwrap_or(exact))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.0;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let parsed = OffsetDateTime::parse(&text, &Rfc3339)
            .map_err(|error| de::Error::custom(format!("not an RFC 3339 time: {error}")))?;
        // An offset may carry it out of the years that can be written.
        let unix_ms = i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000_000)).ok();
        let moment = unix_ms.and_then(Self::from_unix_ms);
        moment.ok_or_else(|| {
            de::Error::custom("not an RFC 3339 time: its year in UTC is not one from 0 to 9999")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_milliseconds_in_utc() {
        let moment = Timestamp::from_unix_ms(1_700_000_000_042).unwrap();
        assert_eq!(moment.to_string(), "2023-11-14T22:13:20.042Z");
        let back: Timestamp = serde_json::from_str("\"2023-11-14T23:13:20.0421+01:00\"").unwrap();
        assert_eq!(back, moment);
    }

    #[test]
    fn refuses_what_is_no_time() {
        let error = serde_json::from_str::<Timestamp>("\"yesterday\"").unwrap_err();
        assert!(error.to_string().contains("RFC 3339"), "{error}");
        for beyond in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+00:01"] {
            let error = serde_json::from_str::<Timestamp>(&format!("\"{beyond}\"")).unwrap_err();
            assert!(error.to_string().contains("its year in UTC"), "{error}");
        }
        assert_eq!(Timestamp::from_unix_ms(-(1 << 47)), None);
    }

    #[test]
    fn later_is_bounded() {
        let moment = Timestamp::from_unix_ms(5).unwrap();
        assert_eq!(moment.plus(Duration::from_secs(1)).unix_ms(), 1005);
        assert_eq!(moment.plus(Duration::MAX), LAST);
    }
}
