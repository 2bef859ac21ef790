//! When a request was signed.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{SignatureError, single};

/// Characters of `20150830T123600Z`.
const BASIC_CHARS: usize = 16;

/// The header that says when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatedBy {
    XAmzDate,
    /// Only where there is no `X-Amz-Date`.
    Date,
}

impl DatedBy {
    /// In lower case.
    pub(super) fn header_name(self) -> &'static str {
        match self {
            Self::XAmzDate => "x-amz-date",
            Self::Date => "date",
        }
    }
}

pub(super) fn read(headers: &HeaderMap) -> Result<(SystemTime, DatedBy), SignatureError> {
    for dated_by in [DatedBy::XAmzDate, DatedBy::Date] {
        if let Some(text) = single(headers, dated_by.header_name())? {
            let parsed = match dated_by {
                DatedBy::XAmzDate => parse_basic(text),
                DatedBy::Date => parse_basic(text).or_else(|| OffsetDateTime::parse(text, &Rfc2822).ok()),
            };
            return Ok((parsed.ok_or(SignatureError::MalformedDate)?.into(), dated_by));
        }
    }
    Err(SignatureError::MalformedDate)
}

/// ISO 8601's basic form, to the second and in UTC.
fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = PrimitiveDateTime::parse(text, format).ok().filter(|_| text.len() == BASIC_CHARS);
    date.map(PrimitiveDateTime::assume_utc)
}

/// The day as a credential's scope names it.
pub(super) fn day(time: SystemTime) -> String {
    let day = OffsetDateTime::from(time).format(format_description!("[year][month][day]"));
    day.unwrap_or_default()
}

pub(super) fn check_skew(
    signed_at: SystemTime,
    now: SystemTime,
    max_skew: Duration,
) -> Result<(), SignatureError> {
    let skew = now.duration_since(signed_at).unwrap_or_else(|error| error.duration());
    if skew <= max_skew {
        return Ok(());
    }
    let shown = |time: SystemTime| {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        OffsetDateTime::from(time).format(format).unwrap_or_default()
    };
    Err(SignatureError::Skewed {
        signed_at: shown(signed_at),
        now: shown(now),
        max_minutes: max_skew.as_secs() / 60,
    })
}
