//! How often a token may be used, and the headers that say so.
//!
//! Each API counts for itself, since it shares no state with others but queue and bucket: behind a load balancer, a
//! token's rate is that of one API times their number.

use std::num::NonZeroU32;

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue};
use governor::clock::DefaultClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{RateLimiter, middleware};

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// So many requests a second. As many may come at once, and are then made up for evenly.
pub(super) struct Rate {
    per_second: NonZeroU32,
    limiter: RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>,
}

/// What is left of a token's rate, after one of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    per_second: NonZeroU32,
    remaining: u32,
    /// The request was one too many.
    pub(crate) is_exceeded: bool,
}

impl Rate {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        let limiter = RateLimiter::direct(governor::Quota::per_second(per_second));
        Self { per_second, limiter: limiter.with_middleware::<StateInformationMiddleware>() }
    }

    pub(super) fn per_second(&self) -> u32 {
        self.per_second.get()
    }

    pub(super) fn count_request(&self) -> Quota {
        let left =
            self.limiter.check().map(|state: middleware::StateSnapshot| state.remaining_burst_capacity());
        Quota {
            per_second: self.per_second,
            remaining: *left.as_ref().unwrap_or(&0),
            is_exceeded: left.is_err(),
        }
    }
}

impl Quota {
    /// Writes it as the fields of draft-ietf-httpapi-ratelimit-headers-11. Within a second, all of a rate is there again.
    pub(crate) fn write_to(self, headers: &mut HeaderMap) {
        let policy = format!("\"token\";q={};w=1", self.per_second);
        let left = format!("\"token\";r={};t=1", self.remaining);
        for (name, value) in [(RATELIMIT_POLICY, policy), (RATELIMIT, left)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_one_second_passes_and_is_told_what_is_left() {
        let rate = Rate::new(NonZeroU32::new(3).unwrap());
        let seen: Vec<(u32, bool)> =
            (0..4).map(|_| rate.count_request()).map(|quota| (quota.remaining, quota.is_exceeded)).collect();
        assert_eq!(seen, [(2, false), (1, false), (0, false), (0, true)]);
        let mut headers = HeaderMap::new();
        Quota { per_second: NonZeroU32::new(3).unwrap(), remaining: 2, is_exceeded: false }
            .write_to(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"token\";q=3;w=1");
        assert_eq!(headers["ratelimit"], "\"token\";r=2;t=1");
    }
}
