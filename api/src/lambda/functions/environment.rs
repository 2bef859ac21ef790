//! Environment variables of functions.

use std::collections::BTreeMap;

use crate::lambda::checks::{Checks, Pattern, must_match};
use crate::lambda::errors::Refusal;

/// Of the map as compact JSON.
const MOST_BYTES: usize = 4096;

const NAME: Pattern = Pattern {
    text: "[a-zA-Z]([a-zA-Z0-9_])+",
    matches: |name| {
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    },
};

/// Those that the runtime sets.
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// What the model demands of names.
pub(super) fn check_names(variables: &BTreeMap<String, String>, checks: &mut Checks) {
    // The runtime's own are refused by name, whatever their form.
    let is_possible = |name: &str| (NAME.matches)(name) || RESERVED.contains(&name);
    if !variables.keys().all(|name| is_possible(name)) {
        let shown: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let constraint = format!("Map keys must satisfy constraint: [{}]", must_match(NAME));
        checks.fail(format!("{{{}}}", shown.join(", ")), "environment.variables", constraint);
    }
}

/// What else is demanded.
pub(super) fn check(variables: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let measured = serde_json::to_string(variables).unwrap_or_default();
    let because = "Lambda was unable to configure your environment variables because the environment variables you \
                   have provided";
    if measured.len() > MOST_BYTES {
        return Err(Refusal::invalid(format!(
            "{because} exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if reserved.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "{because} contains reserved keys that are currently not supported for modification. Reserved keys used in this \
         request: {}",
        reserved.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_kilobytes_pass_and_one_byte_more_does_not() {
        let of = |bytes: usize| BTreeMap::from([("K1".to_owned(), "x".repeat(bytes))]);
        let around = serde_json::to_string(&of(0)).unwrap().len();
        assert_eq!(check(&of(MOST_BYTES - around)), Ok(()));
        assert!(check(&of(MOST_BYTES - around + 1)).is_err());
        assert!(check(&BTreeMap::from([("AWS_REGION".to_owned(), String::new())])).is_err());
    }
}
