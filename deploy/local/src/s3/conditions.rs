//! Conditions on an object's ETag, as RFC 9110 and S3 have them.

use s3s::dto::{ETag, ETagCondition};
use s3s::{S3Result, s3_error};

/// Whether an object may be written that is now in this state; `None` where there is none.
pub(crate) fn check_write(
    now: Option<&ETag>,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    match if_none_match {
        Some(ETagCondition::ETag(_)) => {
            return Err(s3_error!(NotImplemented, "If-None-Match takes nothing but * here"));
        }
        Some(ETagCondition::Any) if now.is_some() => {
            return Err(s3_error!(PreconditionFailed, "there is an object already"));
        }
        _ => {}
    }
    match (if_match, now) {
        (Some(_), None) => Err(s3_error!(NoSuchKey, "there is no object that could match")),
        (Some(condition), Some(etag)) if !matches(condition, etag) => {
            Err(s3_error!(PreconditionFailed, "the object's ETag is another one"))
        }
        _ => Ok(()),
    }
}

/// Whether an object is to be read that is in this state.
pub(crate) fn check_read(
    etag: &ETag,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    if if_match.is_some_and(|condition| !matches(condition, etag)) {
        return Err(s3_error!(PreconditionFailed, "the object's ETag is another one"));
    }
    if if_none_match.is_some_and(|condition| matches(condition, etag)) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

fn matches(condition: &ETagCondition, etag: &ETag) -> bool {
    condition.as_etag().is_none_or(|expected| expected.weak_cmp(etag))
}
