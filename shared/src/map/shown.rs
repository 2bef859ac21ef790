//! Maps as the API shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{Manifest, MapId};
use crate::execution::result_encoding::ResultEncoding;
use crate::execution::{ErrorKind, ExecutionError, Usage};
use crate::function::name::FunctionName;
use crate::timestamp::Timestamp;

/// Where a map stands. The last two are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MapStatus {
    /// Accepted, and no worker has begun with it.
    Queued,
    /// Workers run it.
    Running,
    /// There is a result or an error for each of its inputs.
    Finished,
    /// It was cancelled.
    Cancelled,
}

impl MapStatus {
    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled)
    }
}

/// A map: one function over many inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Map {
    /// Its id.
    pub id: MapId,
    /// The function's name.
    pub function: FunctionName,
    /// The version that is run.
    pub version: u32,
    /// Where it stands.
    pub status: MapStatus,
    /// Where to poll it, relative to the API.
    pub url: String,
    /// How many inputs there are: items.
    pub total: u64,
    /// Items with which no worker has begun.
    pub queued: u64,
    /// Items that are in a worker's hands.
    pub running: u64,
    /// Items that returned a result.
    pub succeeded: u64,
    /// Items that failed.
    pub failed: u64,
    /// Items that failed, by the kind of their errors.
    pub kinds: BTreeMap<ErrorKind, u64>,
    /// Items that ended in a second: lately, or, of a map that is finished, on average. Null where none has.
    pub per_second: Option<f64>,
    /// In how many seconds it is finished, if that rate goes on; null where there is none, or no more to do.
    pub eta_seconds: Option<f64>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it was finished or cancelled.
    pub finished_at: Option<Timestamp>,
}

/// A map of a list, without how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedMap {
    /// Its id.
    pub id: MapId,
    /// The function's name.
    pub function: FunctionName,
    /// The version that is run.
    pub version: u32,
    /// Where to poll it, relative to the API.
    pub url: String,
    /// How many inputs there are: items.
    pub total: u64,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

impl From<&Manifest> for ListedMap {
    fn from(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.clone(),
            function: manifest.function.clone(),
            version: manifest.version,
            url: Map::url_of(&manifest.function, &manifest.id),
            total: manifest.total(),
            submitted_at: manifest.submitted_at,
        }
    }
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemStatus {
    /// It returned a result.
    Succeeded,
    /// It failed; `error` says why.
    Failed,
}

/// What came of one input: a line of a map's results.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MapItem {
    /// Which input it was, from 0 on.
    pub index: u64,
    /// How it ended.
    pub status: ItemStatus,
    /// The result, where it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    pub result: Option<Box<RawValue>>,
    /// How the result's JSON stands for bytes, where the function returned such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_encoding: Option<ResultEncoding>,
    /// The error, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExecutionError>,
    /// What the attempt that counts used; not there where none was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl Map {
    /// Where the map `id` of `function` is polled, relative to the API.
    pub fn url_of(function: &FunctionName, id: &MapId) -> String {
        format!("/v1/functions/{function}/maps/{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_null_is_one() {
        let item = |result| MapItem {
            index: 3,
            status: ItemStatus::Succeeded,
            result,
            result_encoding: None,
            error: None,
            usage: None,
        };
        let line = serde_json::to_string(&item(Some(RawValue::NULL.to_owned()))).unwrap();
        assert_eq!(line, r#"{"index":3,"status":"succeeded","result":null}"#);
    }
}
