//! Which dead letters are meant.

use std::collections::BTreeSet;

use super::DeadLetter;
use crate::function::name::FunctionName;

/// Which messages are meant: those that meet every condition. Without any: all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The one with this id.
    pub id: Option<String>,
    /// Those of this kind, and those whose reason contains this, in capitals or not.
    pub reason: Option<String>,
    /// Those that ask for one of these functions.
    pub functions: Option<BTreeSet<FunctionName>>,
}

impl Selection {
    /// All that are there.
    pub fn all() -> Self {
        Self::default()
    }

    /// The one with this id.
    pub fn one(id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..Self::default() }
    }

    pub(super) fn means(&self, letter: &DeadLetter) -> bool {
        let has_reason = |reason: &String| {
            let reason = reason.to_lowercase();
            letter.kind.as_ref() == Some(&reason) || letter.reason.to_lowercase().contains(&reason)
        };
        let asks_for_one = |functions: &BTreeSet<FunctionName>| {
            letter.execution.as_ref().is_some_and(|(function, _)| functions.contains(function))
        };
        self.id.as_ref().is_none_or(|id| *id == letter.message_id)
            && self.reason.as_ref().is_none_or(has_reason)
            && self.functions.as_ref().is_none_or(asks_for_one)
    }
}
