//! What may be told of tokens, to whoever writes or reads their list.

use badlambda_shared::function::name::FunctionName;
use serde::Serialize;

use super::entry;
use super::settings::check_distinct;
use super::token::Token;

/// A token of a list, without anything that is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenSummary {
    /// Its name.
    pub name: String,
    /// What it may be used for: `read`, `execute`, `manage`.
    pub scopes: Vec<&'static str>,
    /// The functions that it may be used for, where not for all.
    pub functions: Option<Vec<FunctionName>>,
    /// How many requests it may make a second, where that is bounded.
    pub per_second: Option<u32>,
    /// The key pair's public half, where it has one.
    pub access_key_id: Option<String>,
}

/// Reads a list of tokens as `BADLAMBDA_TOKENS` holds it, and checks it as an API does that starts.
///
/// # Errors
/// Says what is wrong with which entry, and never what may be a secret.
pub fn summarize_tokens(json: &str) -> Result<Vec<TokenSummary>, String> {
    let tokens = entry::read_all(json)?;
    check_distinct(&tokens)?;
    Ok(tokens.into_iter().map(TokenSummary::from).collect())
}

impl From<Token> for TokenSummary {
    fn from(token: Token) -> Self {
        Self {
            scopes: token.scopes.iter().map(|scope| scope.name()).collect(),
            functions: token.functions.map(|functions| functions.into_iter().collect()),
            per_second: token.rate.map(|rate| rate.per_second()),
            access_key_id: token.key_pair.map(|pair| pair.access_key_id),
            name: token.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_without_what_is_secret() {
        let entry = |name: &str, digit: &str| {
            format!(
                r#"{{"name": "{name}", "sha256": "{}", "scopes": ["execute", "read"], "functions": ["b", "a"],
                "per_second": 3, "access_key_id": "KEY0KEY0KEY0KEY{digit}", "secret_access_key": "sesame-sesame-sesame"}}"#,
                digit.repeat(64)
            )
        };
        let told = summarize_tokens(&format!("[{}, {}]", entry("ci", "0"), entry("me", "1"))).unwrap();
        assert_eq!((told[0].name.as_str(), &told[0].scopes[..]), ("ci", &["read", "execute"][..]));
        let functions = told[0].functions.as_ref().unwrap();
        assert!(functions.iter().map(FunctionName::as_str).eq(["a", "b"]));
        assert_eq!(told[0].per_second, Some(3));
        assert!(!format!("{told:?}").contains("sesame"), "{told:?}");
        let twice = summarize_tokens(&format!("[{0}, {0}]", entry("ci", "0"))).unwrap_err();
        assert_eq!(twice, "two tokens have the name ci");
    }
}
