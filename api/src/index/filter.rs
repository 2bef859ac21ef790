//! What a list is to hold, and where it goes on.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::{ErrorKind, Status};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::index::{Line, Row, Segment};

/// Which executions are asked for: those that everything here holds for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// They are of one of these functions.
    pub(crate) functions: Option<BTreeSet<FunctionName>>,
    pub(crate) status: Option<Status>,
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) version: Option<u32>,
    /// They ended at this time or later, in milliseconds since 1970.
    pub(crate) since_ms: Option<i64>,
    /// They ended before this time.
    pub(crate) until_ms: Option<i64>,
}

impl Filter {
    /// Whether a line passes, which a segment holds or not.
    pub(crate) fn passes_line(&self, line: &Line) -> bool {
        self.functions.as_ref().is_none_or(|functions| functions.contains(&line.function))
            && self.passes(line.status, line.kind, line.version, line.at_ms)
    }

    /// What rows of this segment are asked by.
    pub(crate) fn of_segment(&self, segment: &Segment) -> RowFilter<'_> {
        let numbers = |functions: &BTreeSet<FunctionName>| {
            functions.iter().filter_map(|function| segment.number_of(function)).collect()
        };
        RowFilter { filter: self, functions: self.functions.as_ref().map(numbers) }
    }

    fn passes(&self, status: Status, kind: Option<ErrorKind>, version: Option<u32>, at_ms: i64) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
            && self.kind.is_none_or(|wanted| Some(wanted) == kind)
            && self.version.is_none_or(|wanted| Some(wanted) == version)
            && self.since_ms.is_none_or(|since| at_ms >= since)
            && self.until_ms.is_none_or(|until| at_ms < until)
    }
}

/// A filter of one segment's rows.
#[derive(Clone, Debug)]
pub(crate) struct RowFilter<'a> {
    filter: &'a Filter,
    /// The numbers that the functions have in the segment.
    functions: Option<Vec<u32>>,
}

impl RowFilter<'_> {
    pub(crate) fn passes(&self, row: &Row) -> bool {
        self.functions.as_ref().is_none_or(|numbers| numbers.contains(&row.function_number()))
            && self.filter.passes(row.status, row.kind, row.version(), row.at_ms)
    }
}

/// Where a list goes on: with what ended before a time, or in the millisecond before it and behind an id. A cursor is
/// its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) before_ms: i64,
    pub(crate) after_id: Option<ExecutionId>,
}

impl Position {
    /// Behind this line.
    pub(crate) fn behind(line: &Line) -> Self {
        Self { before_ms: line.at_ms + 1, after_id: Some(line.id.clone()) }
    }

    /// Whether a row at this place comes later in the list.
    pub(crate) fn is_before(&self, (Reverse(at_ms), id): (Reverse<i64>, &str)) -> bool {
        match &self.after_id {
            Some(after) if at_ms + 1 == self.before_ms => id > after.as_str(),
            _ => at_ms < self.before_ms,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.before_ms)?;
        self.after_id.as_ref().map_or(Ok(()), |id| write!(f, ".{id}"))
    }
}

/// The most digits of a time in a cursor: what has more is none of ours.
pub(crate) const CURSOR_DIGITS: usize = 18;

impl FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "it must be the `next` of an earlier page";
        let (before, id) = text.split_once('.').map_or((text, None), |(before, id)| (before, Some(id)));
        let is_possible =
            (1..=CURSOR_DIGITS).contains(&before.len()) && before.bytes().all(|b| b.is_ascii_digit());
        let before_ms = before.parse().ok().filter(|_| is_possible).ok_or(WRONG)?;
        let after_id = id.map(str::parse).transpose().map_err(|_| WRONG)?;
        Ok(Self { before_ms, after_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for text in ["1796007787124", "1796007787124.m-1"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        for bad in ["", "x", "1.", "1./", "-5", "+5", "0000000000000000005"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_goes_on_behind_its_last_line() {
        let position: Position = "101.m".parse().unwrap();
        let is_before = |at_ms, id| position.is_before((Reverse(at_ms), id));
        assert!(is_before(100, "n") && is_before(99, "a"));
        assert!(!is_before(100, "m") && !is_before(100, "l") && !is_before(101, "z"));
    }
}
