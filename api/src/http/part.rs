//! The parts of a request, as errors name them.

use serde_json::{Value, json};

/// Something in a request that can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A value in the body: the names that lead to it, and none for the body itself. A body of Ruby is the `code` of
    /// one in JSON.
    Body(Vec<String>),
    /// A parameter in the path or the query.
    Parameter(String),
    /// A header.
    Header(&'static str),
}

/// A part that holds what it must not, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPart {
    pub(crate) part: Part,
    pub(crate) reason: String,
}

impl Part {
    /// The value in the body that these names lead to.
    pub(crate) fn in_body(names: &[&str]) -> Self {
        Self::Body(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// As a person writes it: `config.timeout_ms`.
    pub(crate) fn field(&self) -> String {
        match self {
            Self::Body(names) if names.is_empty() => "body".to_owned(),
            Self::Body(names) => names.join("."),
            Self::Parameter(name) => name.clone(),
            Self::Header(name) => (*name).to_owned(),
        }
    }

    /// An entry of `errors`, as RFC 9457 has it in its examples.
    pub(crate) fn to_error(&self, detail: &str) -> Value {
        match self {
            Self::Body(names) => json!({ "pointer": pointer(names), "detail": detail }),
            Self::Parameter(name) => json!({ "parameter": name, "detail": detail }),
            Self::Header(name) => json!({ "header": name, "detail": detail }),
        }
    }
}

/// A JSON Pointer (RFC 6901).
fn pointer(names: &[String]) -> String {
    names.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_into_the_body() {
        for (names, expected) in [
            (&[][..], ""),
            (&["code"], "/code"),
            (&["config", "environment", "a/b~c.d"], "/config/environment/a~1b~0c.d"),
            (&[""], "/"),
        ] {
            assert_eq!(Part::in_body(names).to_error("x"), json!({ "pointer": expected, "detail": "x" }));
        }
        assert_eq!(Part::in_body(&["config", "timeout_ms"]).field(), "config.timeout_ms");
    }
}
