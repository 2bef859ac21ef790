//! Which fields of an answer are printed as JSON.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};

use crate::output::{Failure, did_you_mean};

/// The fields that these names, separated by commas, choose.
pub(super) fn chosen(names: &str, known: &[&str]) -> Result<Vec<String>, Failure> {
    let choose = |name: &str| match known.contains(&name) {
        true => Ok(name.to_owned()),
        false => {
            let hint = did_you_mean(name, known.iter().copied());
            let there_are = known.join(", ");
            Err(Failure::Usage(format!("there is no field {name:?}{hint}\nthe fields are: {there_are}")))
        }
    };
    names.split(',').map(str::trim).map(choose).collect()
}

/// These fields of an object, in this order. What it lacks is null. Their JSON stays as it came, digit for digit.
pub(super) fn picked(object: &RawValue, fields: &[String]) -> serde_json::Result<Box<RawValue>> {
    let mut whole: BTreeMap<String, Box<RawValue>> = serde_json::from_str(object.get())?;
    let mut picked = Vec::with_capacity(fields.len());
    for field in fields {
        let value = whole.remove(field);
        picked.push(format!("{}:{}", to_raw_value(field)?, value.as_deref().map_or("null", RawValue::get)));
    }
    RawValue::from_string(format!("{{{}}}", picked.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_openapi_document() {
        use crate::{dead_letters, executions, functions, stats};
        let document: serde_json::Value = serde_json::from_str(badlambda_api::openapi_document()).unwrap();
        for (schema, fields) in [
            ("Function", &functions::list::FUNCTION_FIELDS[..]),
            ("Version", &functions::versions::VERSION_FIELDS),
            ("Execution", &executions::list::EXECUTION_FIELDS),
            ("ListedExecution", &executions::list::LISTED_FIELDS),
            ("ShownDeadLetter", &dead_letters::list::DEAD_LETTER_FIELDS),
            ("RedrivenDeadLetter", &dead_letters::remove::REDRIVEN_FIELDS),
            ("DeadLetterLine", &dead_letters::remove::PROGRESS_FIELDS),
            ("FleetStats", &stats::STATS_FIELDS),
            ("FunctionStats", &stats::FUNCTION_STATS_FIELDS),
        ] {
            let properties = document["components"]["schemas"][schema]["properties"].as_object();
            let properties = properties.unwrap_or_else(|| panic!("there is no schema {schema}"));
            let fields: BTreeMap<&str, ()> = fields.iter().map(|field| (*field, ())).collect();
            assert!(fields.keys().eq(properties.keys()), "{schema}: {fields:?} are not {properties:?}");
        }
    }

    #[test]
    fn fields_come_as_asked_for() {
        let object =
            RawValue::from_string(r#"{"a":1.50,"b":{"c":[]},"n":123456789012345678901}"#.to_owned()).unwrap();
        let fields = chosen("n, a,z", &["a", "b", "n", "z"]).unwrap();
        assert_eq!(
            picked(&object, &fields).unwrap().get(),
            r#"{"n":123456789012345678901,"a":1.50,"z":null}"#
        );
    }

    #[test]
    fn an_unknown_field_is_answered_with_those_there_are() {
        let error = chosen("name,verison", &["name", "version"]).unwrap_err().to_string();
        assert!(error.contains("did you mean version?") && error.contains("name, version"), "{error}");
    }
}
