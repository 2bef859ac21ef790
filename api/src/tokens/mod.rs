//! The tokens that requests bear: what each may do, and how often.
//!
//! `settings` reads them from the environment (`entry` one of a list), `token` is one of them, `summary` and `show` what may be told of it, `rate` counts its requests.
//! `authorize` holds every request against them, and `signed` finds the token of one that is signed with a key pair. What
//! is kept of a token is its SHA-256, and the secret access key of its pair, which nothing prints.

pub(crate) mod authorize;
mod entry;
mod rate;
mod settings;
pub(crate) mod show;
pub(crate) mod signed;
mod summary;
mod token;

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub(crate) use self::authorize::Caller;
pub use self::summary::{TokenSummary, summarize_tokens};
use self::token::KeyPair;
pub(crate) use self::token::{Scope, Token};

/// All tokens that there are.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Vec<Arc<Token>>);

impl Tokens {
    /// The token whose text this is. How long that takes depends on the number of tokens alone.
    pub(crate) fn find(&self, presented: &str) -> Option<Arc<Token>> {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        let mut found = None;
        for token in &self.0 {
            if bool::from(token.sha256.ct_eq(&presented)) {
                found = Some(token);
            }
        }
        found.cloned()
    }

    /// The token with this access key. How long that takes depends on the number of tokens alone.
    fn find_by_key(&self, access_key_id: &str) -> Option<&Arc<Token>> {
        let mut found = None;
        for token in &self.0 {
            let is_same = |pair: &KeyPair| pair.access_key_id.as_bytes().ct_eq(access_key_id.as_bytes());
            if token.key_pair.as_ref().is_some_and(|pair| is_same(pair).into()) {
                found = Some(token);
            }
        }
        found
    }

    /// Adds a token of all scopes that has this key pair. Where there are no tokens, none is needed.
    pub(crate) fn allow_key_pair(&mut self, access_key_id: &str, secret_access_key: &str) {
        if self.is_empty() {
            return;
        }
        // There is no text that has this hash, as far as anybody knows.
        let mut token = Token::of_all_scopes("key pair", [0; 32]);
        let (access_key_id, secret_access_key) = (access_key_id.to_owned(), secret_access_key.to_owned());
        token.key_pair = Some(KeyPair { access_key_id, secret_access_key });
        self.0.push(Arc::new(token));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Tells how many there are, and nothing of them.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.len())
    }
}
