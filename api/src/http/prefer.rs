//! The header `Prefer` (RFC 7240), of which `wait` is understood.

use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use badlambda_shared::limits;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How long the caller is ready to wait for a finished execution, and we are to let him.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(u64);

impl Wait {
    /// How long.
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

/// As `Preference-Applied` writes it.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wait={}", self.0)
    }
}

/// The first `wait` that the request prefers. A preference that can't be understood is none (RFC 7240, section 2).
pub(crate) fn wait(headers: &HeaderMap) -> Option<Wait> {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(seconds)
        .map(|seconds| Wait(seconds.min(limits::MAX_WAIT.as_secs())))
}

fn seconds(preference: &str) -> Option<u64> {
    let preference = preference.split(';').next()?;
    let (name, value) = preference.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("wait") {
        return None;
    }
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(value.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_of(values: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, axum::http::HeaderValue::from_static(value));
        }
        wait(&headers).map(|wait| wait.duration().as_secs())
    }

    #[test]
    fn understands_what_the_rfc_allows() {
        assert_eq!(wait_of(&["wait=10"]), Some(10));
        assert_eq!(wait_of(&["respond-async, Wait = \"7\"; foo=bar"]), Some(7));
        assert_eq!(wait_of(&["return=minimal", "wait=5", "wait=9"]), Some(5));
        assert_eq!(wait_of(&["wait=86400"]), Some(50));
        assert_eq!(wait_of(&["wait=99999999999999999999999"]), Some(50));
    }

    #[test]
    fn ignores_what_it_cannot_understand() {
        for bad in [&["wait"][..], &["wait="], &["wait=soon"], &["wait=-1"], &["wait=1.5"], &["waits=3"], &[]]
        {
            assert_eq!(wait_of(bad), None, "{bad:?}");
        }
    }
}
