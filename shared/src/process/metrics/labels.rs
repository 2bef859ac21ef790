//! Values of labels that are not known beforehand, and may not be many: each makes series of its own, in this process
//! and in Prometheus.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use crate::function::name::FunctionName;

/// Stands for all values beyond those that are kept.
pub const OTHER: &str = "other";

/// How many functions have series of their own in a process: the first so many. With 23 series a histogram, a worker
/// then has some 5,000.
const FUNCTIONS: usize = 100;

static FUNCTION_NAMES: LabelValues = LabelValues::new(FUNCTIONS);

/// A bounded number of values of a label, kept for as long as the process lives.
#[derive(Debug)]
pub struct LabelValues {
    most: usize,
    kept: RwLock<BTreeSet<&'static str>>,
}

impl LabelValues {
    /// At most `most` values.
    pub const fn new(most: usize) -> Self {
        Self { most, kept: RwLock::new(BTreeSet::new()) }
    }

    /// The text as a value, or [`OTHER`] where there are as many others.
    pub fn value(&self, text: &str) -> &'static str {
        let (known, is_full) = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            (kept.get(text).copied(), kept.len() >= self.most)
        };
        match known {
            Some(value) => value,
            None if is_full => OTHER,
            None => self.keep(text),
        }
    }

    /// The text as a value, if it is one already, or else [`OTHER`].
    pub fn known(&self, text: &str) -> &'static str {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(text).copied().unwrap_or(OTHER)
    }

    fn keep(&self, text: &str) -> &'static str {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been first.
        if let Some(value) = kept.get(text) {
            return value;
        }
        if kept.len() >= self.most {
            return OTHER;
        }
        let value: &'static str = Box::leak(text.into());
        kept.insert(value);
        value
    }
}

/// The value of the label `function`. Only functions that exist should get here: names that are made up would take the
/// places of others.
pub fn function_label(function: &FunctionName) -> &'static str {
    FUNCTION_NAMES.value(function.as_str())
}

/// The value of the label `function` for a name that may be made up: it takes no place.
pub fn known_function_label(function: &FunctionName) -> &'static str {
    FUNCTION_NAMES.known(function.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_stay_and_the_rest_are_others() {
        let values = LabelValues::new(2);
        assert_eq!(values.known("a"), OTHER);
        assert_eq!((values.value("a"), values.value("b"), values.value("c")), ("a", "b", OTHER));
        assert_eq!((values.value("a"), values.known("b"), values.known("c")), ("a", "b", OTHER));
        assert!(std::ptr::eq(values.value("a"), values.value("a")), "it is kept once");
    }

    #[test]
    fn threads_together_keep_no_more() {
        let values = LabelValues::new(10);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let values = &values;
                scope
                    .spawn(move || (0..100).for_each(|n| _ = values.value(&format!("{}", n * (thread + 1)))));
            }
        });
        assert_eq!(values.kept.read().unwrap().len(), 10);
    }
}
