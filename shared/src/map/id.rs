//! Identifiers of maps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::execution::id::{ExecutionId, IdError, Origin};
use crate::function::name::FunctionName;
use crate::timestamp::Timestamp;

/// The id of one map. It is made and checked like the ids that the API gives executions, so that one that was never issued
/// for its function is found without a look.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MapId(ExecutionId);

impl MapId {
    /// Issues a new id for a map of `function`.
    pub fn issue(function: &FunctionName) -> Self {
        Self(ExecutionId::issue(function))
    }

    /// When the API issued it for `function`, if it did.
    pub fn issued_at(&self, function: &FunctionName) -> Option<Timestamp> {
        match self.0.origin(function) {
            Origin::Issued(at) => Some(at),
            Origin::Forged | Origin::Foreign => None,
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What the items' code is told as the id of its execution. No record is stored under it.
    pub fn of_item(&self, index: u64) -> String {
        format!("{self}-{index}")
    }
}

/// What claims a map for an `Idempotency-Key` knows it as an execution.
impl From<MapId> for ExecutionId {
    fn from(id: MapId) -> Self {
        id.0
    }
}

impl From<ExecutionId> for MapId {
    fn from(id: ExecutionId) -> Self {
        Self(id)
    }
}

impl FromStr for MapId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for MapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_for_its_function_alone_and_those_of_items_are_none_of_the_apis() {
        let (function, other) = ("hello".parse().unwrap(), "other".parse().unwrap());
        let id = MapId::issue(&function);
        assert!(id.issued_at(&function).is_some() && id.issued_at(&other).is_none());
        let item: ExecutionId = id.of_item(999_999).parse().unwrap();
        assert_eq!(item.origin(&function), Origin::Foreign);
    }
}
