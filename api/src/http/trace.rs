//! The trace that a request belongs to.

use axum::http::HeaderMap;
use badlambda_shared::execution::trace::{TRACEPARENT, Trace, X_AMZN_TRACE_ID};

/// The trace that the headers name. One that comes twice could mean two, and counts as none.
pub(crate) fn trace(headers: &HeaderMap) -> Trace {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    Trace::read(only(TRACEPARENT), only(X_AMZN_TRACE_ID))
}
