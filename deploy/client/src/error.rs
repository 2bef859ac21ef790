//! What can go wrong.

use std::fmt;

use serde::Deserialize;

/// Why there is no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answered.
    #[error("{address} does not answer: {reason}")]
    Unreachable {
        /// The API's URL.
        address: String,
        /// The innermost reason there is.
        reason: String,
    },
    /// The API refused the request, or failed at it.
    #[error(transparent)]
    Problem(Box<Problem>),
    /// What answered does not speak this API's language.
    #[error("{address} answered {status} with {what}; is it the URL of a Bad Lambda API?")]
    NotOurs {
        /// The API's URL.
        address: String,
        /// The HTTP status.
        status: u16,
        /// What there was in place of an answer.
        what: String,
    },
    /// The answer ended before it was complete.
    #[error("the connection to {address} broke off: {reason}")]
    BrokenOff {
        /// The API's URL.
        address: String,
        /// The innermost reason there is.
        reason: String,
    },
    /// The path can't be part of a URL.
    #[error(transparent)]
    Address(#[from] crate::AddressError),
    /// Nothing can be sent at all, or not with this token.
    #[error("no request can be made: {0}")]
    Client(String),
}

impl Error {
    /// The API's refusal, if it is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the API refused it with this `type`.
    pub fn is(&self, slug: &str) -> bool {
        self.problem().is_some_and(|problem| problem.slug == slug)
    }
}

/// An `application/problem+json` (RFC 9457), as the API answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable `type`, for instance `function_not_found`.
    #[serde(rename = "type")]
    pub slug: String,
    /// What the type means.
    pub title: String,
    /// What to do about it.
    pub detail: String,
    /// Every part of the request that was refused.
    #[serde(default)]
    pub errors: Vec<ProblemPart>,
    /// Which request it was, for who reads the API's log.
    pub request_id: Option<String>,
    /// The line in the text that was sent, from 1.
    pub line: Option<u64>,
    /// The column in it, from 1.
    pub column: Option<u64>,
}

/// What is wrong with one part of a request. One of its places is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProblemPart {
    /// A JSON Pointer (RFC 6901) into the body.
    pub pointer: Option<String>,
    /// A parameter of path or query.
    pub parameter: Option<String>,
    /// A header.
    pub header: Option<String>,
    /// What to do about it.
    pub detail: String,
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        // One part says nothing that the sentence does not; of more, the sentence tells only the first.
        for part in self.errors.iter().filter(|_| self.errors.len() > 1) {
            write!(f, "\n  {part}")?;
        }
        match &self.request_id {
            Some(id) if self.status >= 500 => write!(f, " (request {id})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for ProblemPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.pointer.as_ref().or(self.parameter.as_ref()).or(self.header.as_ref());
        write!(f, "{}: {}", place.map_or("", String::as_str), self.detail)
    }
}

/// The innermost of an error's reasons, which is the one that a person can do something about.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> Problem {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_problem_is_read_with_its_parts() {
        let read = problem(
            r#"{"type": "invalid_field", "title": "t", "status": 422, "detail": "first", "request_id": "r",
                "errors": [{"pointer": "/a", "detail": "one"}, {"header": "if-match", "detail": "two"}], "field": "x"}"#,
        );
        assert_eq!(read.to_string(), "first\n  /a: one\n  if-match: two");
    }

    #[test]
    fn a_failure_of_the_api_names_the_request() {
        let read = problem(
            r#"{"type": "internal", "title": "t", "status": 500, "detail": "it failed", "request_id": "r-1"}"#,
        );
        assert_eq!(read.to_string(), "it failed (request r-1)");
    }
}
