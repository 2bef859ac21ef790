//! How many requests were served, by service and operation; benchmarks hold the fleet's thrift to it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Requests by service and operation. Only operations that exist are counted, and only for holders of the key, so
/// that strangers can't make this grow.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<BTreeMap<String, u64>>);

impl Counters {
    pub(crate) fn count(&self, service: &str, operation: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(format!("{service}.{operation}")).or_default() += 1;
    }

    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
