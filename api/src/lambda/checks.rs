//! What AWS's model demands of values, before anything is looked up, and how a `ValidationException` tells what does not
//! satisfy it.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::errors::{Code, Refusal};

/// A pattern as errors write it, which is not always one that a regular expression without look-ahead can be.
#[derive(Clone, Copy)]
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    pub(crate) matches: fn(&str) -> bool,
}

/// Everything about a request that does not satisfy the model.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<String>);

impl Checks {
    /// Notes that `value`, as it is written, at `path` does not satisfy this constraint.
    pub(crate) fn fail(&mut self, value: impl Display, path: &str, constraint: impl Display) {
        self.0.push(format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// Notes that there is no value at `path`.
    pub(crate) fn missing(&mut self, path: &str) {
        self.0.push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
    }

    /// The value, which must be there.
    pub(crate) fn required<'a, T>(&mut self, value: Option<&'a T>, path: &str) -> Option<&'a T> {
        if value.is_none() {
            self.missing(path);
        }
        value
    }

    pub(crate) fn pattern(&mut self, value: &str, path: &str, pattern: Pattern) {
        if !(pattern.matches)(value) {
            self.fail(value, path, must_match(pattern));
        }
    }

    /// Characters of text.
    pub(crate) fn length(&mut self, value: &str, path: &str, range: RangeInclusive<usize>) {
        let length = value.chars().count();
        self.sized(length, value, path, &range);
    }

    /// Elements of a list or a map, which is written as `shown`.
    pub(crate) fn sized(
        &mut self,
        length: usize,
        shown: impl Display,
        path: &str,
        range: &RangeInclusive<usize>,
    ) {
        if length > *range.end() {
            self.fail(shown, path, must_have_length("less", range.end()));
        } else if length < *range.start() {
            self.fail(shown, path, must_have_length("greater", range.start()));
        }
    }

    pub(crate) fn number(&mut self, value: i64, path: &str, range: RangeInclusive<i64>) {
        if value > *range.end() {
            self.fail(value, path, must_be("less", range.end()));
        } else if value < *range.start() {
            self.fail(value, path, must_be("greater", range.start()));
        }
    }

    pub(crate) fn one_of(&mut self, value: &str, path: &str, set: &[&str]) {
        if !set.contains(&value) {
            self.fail(value, path, must_be_one_of(set));
        }
    }

    /// Fails where anything did.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(self.refusal("1 validation error")),
            several => Err(self.refusal(&format!("{several} validation errors"))),
        }
    }

    fn refusal(&self, counted: &str) -> Refusal {
        Refusal::new(Code::ValidationException, format!("{counted} detected: {}", self.0.join("; ")))
    }
}

pub(crate) fn must_match(pattern: Pattern) -> String {
    format!("Member must satisfy regular expression pattern: {}", pattern.text)
}

pub(crate) fn must_have_length(than: &str, bound: impl Display) -> String {
    format!("Member must have length {than} than or equal to {bound}")
}

pub(crate) fn must_be(than: &str, bound: impl Display) -> String {
    format!("Member must have value {than} than or equal to {bound}")
}

pub(crate) fn must_be_one_of(set: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", set.join(", "))
}

/// A list as errors write it.
pub(crate) fn list(values: impl IntoIterator<Item = impl Display>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_fails_is_told_at_once() {
        let mut checks = Checks::default();
        checks.number(0, "timeout", 1..=5400);
        checks.one_of("x", "snapStart.applyOn", &["PublishedVersions", "None"]);
        checks.length("abc", "description", 0..=3);
        checks.missing("tagKeys");
        let told = "3 validation errors detected: Value '0' at 'timeout' failed to satisfy constraint: Member must have \
                    value greater than or equal to 1; Value 'x' at 'snapStart.applyOn' failed to satisfy constraint: \
                    Member must satisfy enum value set: [PublishedVersions, None]; Value null at 'tagKeys' failed to \
                    satisfy constraint: Member must not be null";
        assert_eq!(checks.finish(), Err(Refusal::new(Code::ValidationException, told)));
        assert_eq!(Checks::default().finish(), Ok(()));
    }
}
