//! A jq filter.

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, unwrap_valr};
use jaq_json::{Val, read};

use crate::output::Failure;

/// A compiled filter.
pub struct Filter(jaq_core::Filter<JustLut<Val>>);

impl Filter {
    /// Compiles a filter.
    pub fn compile(code: &str) -> Result<Self, Failure> {
        let refused = |errors: Vec<String>| {
            Failure::Usage(format!("--jq: {code:?} is no jq filter: {}", errors.join("; ")))
        };
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code, path: () })
            .map_err(|errors| refused(errors.iter().flat_map(|(_, error)| load_errors(error)).collect()))?;
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let undefined = errors.iter().flat_map(|(_, errors)| errors);
            refused(
                undefined.map(|(name, what)| format!("{} {name} is not defined", what.as_str())).collect(),
            )
        })?;
        Ok(Self(filter))
    }

    /// What it makes of JSON, a line for each value. Text stands there as it is.
    pub fn apply(&self, json: &[u8]) -> Result<String, Failure> {
        let failed = |error: String| Failure::Usage(format!("--jq: {error}"));
        let input = read::parse_single(json).map_err(|error| failed(error.to_string()))?;
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let mut lines = String::new();
        for value in self.0.id.run((context, input)).map(unwrap_valr) {
            match value.map_err(|error| failed(error.to_string()))? {
                Val::TStr(text) => lines.push_str(&String::from_utf8_lossy(&text)),
                other => lines.push_str(&other.to_string()),
            }
            lines.push('\n');
        }
        Ok(lines)
    }
}

fn load_errors(error: &jaq_core::load::Error<&str>) -> Vec<String> {
    use jaq_core::load::Error;
    let found = |found: &str| if found.is_empty() { "its end".to_owned() } else { format!("{found:?}") };
    match error {
        Error::Io(errors) => errors.iter().map(|(path, error)| format!("{path}: {error}")).collect(),
        Error::Lex(errors) => errors
            .iter()
            .map(|(expected, at)| format!("expected {} at {}", expected.as_str(), found(at)))
            .collect(),
        Error::Parse(errors) => errors
            .iter()
            .map(|(expected, at)| format!("expected {} at {}", expected.as_str(), found(at)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(code: &str, json: &str) -> Result<String, String> {
        let filter = Filter::compile(code).map_err(|failure| failure.to_string())?;
        filter.apply(json.as_bytes()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn values_come_a_line_each_and_text_without_quotes() {
        assert_eq!(apply(".[] | .a", r#"[{"a":"x y"},{"a":{"b":1}}]"#).unwrap(), "x y\n{\"b\":1}\n");
        assert_eq!(apply("map(select(test(\"^a\"))) | length", r#"["ab","b"]"#).unwrap(), "1\n");
    }

    #[test]
    fn what_can_not_be_filtered_is_told() {
        for (code, says) in
            [(".[", "is no jq filter"), ("nothing_like_it", "nothing_like_it"), (".a", "--jq: ")]
        {
            let error = apply(code, "[1]").unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
