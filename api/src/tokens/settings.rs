//! Tokens from the environment: `BADLAMBDA_API_TOKEN`, and `BADLAMBDA_TOKENS` or `BADLAMBDA_TOKENS_FILE`.

use std::collections::HashSet;
use std::sync::Arc;

use badlambda_shared::limits;
use badlambda_shared::process::config::{
    API_TOKEN, ConfigError, Environment, TOKENS, TOKENS_FILE, Variable, malformed,
};
use sha2::{Digest as _, Sha256};

use super::Tokens;
use super::entry::{self, is_visible};
use super::token::Token;

impl Tokens {
    /// Reads and checks every token.
    ///
    /// # Errors
    /// Names the variable, and the entry by its name or number; never what may be a secret.
    pub(crate) fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let mut tokens = vec![];
        if let Some(text) = environment.text(API_TOKEN) {
            tokens.push(single(text).map_err(|reason| hidden(API_TOKEN, reason))?);
        }
        let (variable, json) = match (environment.text(TOKENS), environment.text(TOKENS_FILE)) {
            (Some(_), Some(_)) => {
                return Err(hidden(TOKENS, format!("{} is set, too; set one of the two", TOKENS_FILE.name)));
            }
            (Some(json), None) => (TOKENS, json.to_owned()),
            (None, Some(path)) => {
                let json = std::fs::read_to_string(path);
                (TOKENS_FILE, json.map_err(|error| malformed(TOKENS_FILE, path, error.to_string()))?)
            }
            (None, None) => return Ok(all(tokens)),
        };
        tokens.extend(entry::read_all(&json).map_err(|reason| hidden(variable, reason))?);
        check_distinct(&tokens).map_err(|reason| hidden(variable, reason))?;
        Ok(all(tokens))
    }
}

fn all(tokens: Vec<Token>) -> Tokens {
    Tokens(tokens.into_iter().map(Arc::new).collect())
}

/// The error for a variable whose value is not to be shown.
fn hidden(variable: Variable, reason: String) -> ConfigError {
    malformed(variable, "…", reason)
}

/// The token of `BADLAMBDA_API_TOKEN`, which stands there itself.
fn single(text: &str) -> Result<Token, String> {
    if text.chars().count() < limits::MIN_TOKEN_CHARS {
        return Err(format!("it must have at least {} characters", limits::MIN_TOKEN_CHARS));
    }
    if !is_visible(text) {
        return Err("it must be visible ASCII characters without spaces".to_owned());
    }
    Ok(Token::of_all_scopes(API_TOKEN.name, Sha256::digest(text).into()))
}

/// What a request bears must mean one token.
pub(super) fn check_distinct(tokens: &[Token]) -> Result<(), String> {
    let (mut names, mut digests, mut keys) = (HashSet::new(), HashSet::new(), HashSet::new());
    for token in tokens {
        let name = &token.name;
        if !names.insert(name) {
            return Err(format!("two tokens have the name {name}"));
        }
        if !digests.insert(token.sha256) {
            return Err(format!("the token {name}: another token has the same `sha256`"));
        }
        if let Some(pair) = &token.key_pair
            && !keys.insert(&pair.access_key_id)
        {
            return Err(format!("the token {name}: another token has the same `access_key_id`"));
        }
    }
    Ok(())
}
