//! Entity tags, and the conditions that requests set by them: RFC 9110, sections 8.8.3 and 13.
//!
//! The entity tag of a function is the digest of what the API shows of it. So one that was read once means the same from
//! every API, and nothing changes behind it.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use badlambda_shared::function::Function;
use sha2::{Digest, Sha256};

use crate::functions::manifest::to_json;
use crate::http::error::ApiError;
use crate::http::part::Part;

/// What must hold for a request to be answered; nothing, where it sets no condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    if_match: Option<EntityTags>,
    if_none_match: Option<EntityTags>,
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum EntityTags {
    /// `*`: any that there is.
    Any,
    /// One of these, with their quotes.
    OneOf(Vec<String>),
}

/// The entity tag of a function, with its quotes.
pub(crate) fn entity_tag(function: &Function) -> Result<String, ApiError> {
    Ok(format!("\"{}\"", hex::encode(&Sha256::digest(to_json(function)?)[..16])))
}

impl Conditions {
    /// Fails where a change of `function`, as it is now, is not wanted. `exists` says whether there is what is changed:
    /// the function itself, or an alias of it.
    pub(crate) fn check(&self, function: Option<&Function>, exists: bool) -> Result<(), ApiError> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return Ok(());
        }
        let tag = function.map(entity_tag).transpose()?;
        let holds = |tags: &EntityTags| match tags {
            EntityTags::Any => exists,
            EntityTags::OneOf(tags) => tag.as_ref().is_some_and(|tag| tags.contains(tag)),
        };
        if self.if_match.as_ref().is_some_and(|tags| !holds(tags)) {
            return Err(ApiError::PreconditionFailed("If-Match"));
        }
        if self.if_none_match.as_ref().is_some_and(holds) {
            return Err(ApiError::PreconditionFailed("If-None-Match"));
        }
        Ok(())
    }

    /// Whether who reads `function` has it already.
    pub(crate) fn is_known(&self, function: &Function) -> Result<bool, ApiError> {
        let without = Self { if_none_match: None, ..self.clone() };
        without.check(Some(function), true)?;
        Ok(self.knows(&entity_tag(function)?))
    }

    /// Whether who reads has what is under this entity tag already.
    pub(crate) fn knows(&self, entity_tag: &str) -> bool {
        match &self.if_none_match {
            Some(EntityTags::OneOf(tags)) => tags.iter().any(|tag| tag == entity_tag),
            Some(EntityTags::Any) => true,
            None => false,
        }
    }

    /// Whether there is one.
    pub(crate) fn is_set(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self {
            if_match: entity_tags(&parts.headers, &IF_MATCH, "If-Match", Comparison::Strong)?,
            if_none_match: entity_tags(&parts.headers, &IF_NONE_MATCH, "If-None-Match", Comparison::Weak)?,
        })
    }
}

/// How entity tags are compared. With `Strong`, a weak one matches nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// The entity tags in all lines of a header, if there are any.
fn entity_tags(
    headers: &HeaderMap,
    name: &HeaderName,
    written: &'static str,
    comparison: Comparison,
) -> Result<Option<EntityTags>, ApiError> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let refused = || {
        let reason = "it must be `*`, or entity tags in double quotes with commas between them";
        ApiError::invalid(Part::Header(written), reason)
    };
    let mut tags = vec![];
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| refused())?.trim();
        if line == "*" {
            return Ok(Some(EntityTags::Any));
        }
        tags.extend(tags_in(line).ok_or_else(refused)?);
    }
    if tags.is_empty() {
        return Err(refused());
    }
    let compared = tags.into_iter().filter(|tag| comparison == Comparison::Weak || !tag.is_weak);
    Ok(Some(EntityTags::OneOf(compared.map(|tag| tag.opaque).collect())))
}

/// An entity tag of a request, with its quotes.
struct EntityTag {
    is_weak: bool,
    opaque: String,
}

/// The entity tags of a line, which may have commas in them; `None` where it holds something else.
fn tags_in(line: &str) -> Option<Vec<EntityTag>> {
    let mut tags = vec![];
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(tags);
        }
        let weak = rest.strip_prefix("W/");
        let (opaque, behind) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        let is_possible = opaque.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        rest = behind.trim_start();
        if !is_possible || !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        tags.push(EntityTag { is_weak: weak.is_some(), opaque: format!("\"{opaque}\"") });
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(lines: &[&str], comparison: Comparison) -> Result<Option<EntityTags>, ApiError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        entity_tags(&headers, &IF_MATCH, "If-Match", comparison)
    }

    #[test]
    fn a_weak_entity_tag_matches_only_by_the_weak_comparison() {
        let one_of =
            |tags: &[&str]| Some(EntityTags::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        let lines = ["\"a\", W/\"b\"", "\"c\""];
        assert_eq!(read(&lines, Comparison::Strong).unwrap(), one_of(&["\"a\"", "\"c\""]));
        assert_eq!(read(&lines, Comparison::Weak).unwrap(), one_of(&["\"a\"", "\"b\"", "\"c\""]));
        assert_eq!(read(&[" * "], Comparison::Strong).unwrap(), Some(EntityTags::Any));
        assert_eq!(read(&[], Comparison::Strong).unwrap(), None);
        assert_eq!(read(&["\"a,b\""], Comparison::Strong).unwrap(), one_of(&["\"a,b\""]));
        for malformed in ["abc", "\"abc", "abc\"", "\"a\" \"b\"", "\"a b\"", "w/\"a\"", ""] {
            assert!(read(&[malformed], Comparison::Strong).is_err(), "{malformed}");
        }
    }
}
