//! Lists, page by page. A marker says behind which entry the next page begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::checks::Checks;
use super::errors::{Refusal, WireError};

/// Entries of a page, where the request does not say; AWS Lambda gives no more of functions in any case.
const PAGE: usize = 50;

/// How many entries a page is to have, and what `checks` has found so far.
pub(crate) fn page_size(call: &Call, most: i64, checks: &mut Checks) -> Result<usize, WireError> {
    let Some(asked) = call.query("MaxItems") else {
        std::mem::take(checks).finish()?;
        return Ok(PAGE);
    };
    let number: i64 = asked.parse().map_err(|_| {
        Refusal::invalid(format!("MaxItems must be a number from 1 to {most}; it is {asked}"))
    })?;
    checks.number(number, "maxItems", 1..=most);
    std::mem::take(checks).finish()?;
    Ok(usize::try_from(number).unwrap_or(PAGE).min(PAGE))
}

/// What the page before ended with, if there was one.
pub(crate) fn read<T: DeserializeOwned>(call: &Call) -> Result<Option<T>, WireError> {
    let Some(marker) = call.query("Marker").filter(|marker| !marker.is_empty()) else { return Ok(None) };
    let refused = || Refusal::invalid("Marker is not the NextMarker of a page of this list.");
    let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| refused())?;
    Ok(Some(serde_json::from_slice(&bytes).map_err(|_| refused())?))
}

/// A page as it fills, which then knows whether there is more.
pub(crate) struct Page<After> {
    size: usize,
    entries: Vec<Value>,
    last: Option<After>,
    has_more: bool,
}

impl<After: Serialize> Page<After> {
    pub(crate) fn new(size: usize) -> Self {
        Self { size, entries: vec![], last: None, has_more: false }
    }

    /// Adds an entry, or notes that there is one more.
    pub(crate) fn add(&mut self, place: After, entry: Value) {
        if self.entries.len() < self.size {
            self.entries.push(entry);
            self.last = Some(place);
        } else {
            self.has_more = true;
        }
    }

    /// Whether nothing more need be added.
    pub(crate) fn is_full(&self) -> bool {
        self.has_more
    }

    /// The answer, with the entries as the member `name`.
    pub(crate) fn json(self, name: &str) -> Value {
        let mut members = Map::from_iter([(name.to_owned(), Value::Array(self.entries))]);
        if self.has_more
            && let Some(last) = &self.last
            && let Ok(place) = serde_json::to_vec(last)
        {
            members.insert("NextMarker".to_owned(), json!(URL_SAFE_NO_PAD.encode(place)));
        }
        Value::Object(members)
    }
}
