//! One token.

use std::collections::BTreeSet;

use badlambda_shared::function::name::FunctionName;

use super::rate::{Quota, Rate};

/// What a token may be used for. None of them implies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Look at functions, executions and dead letters.
    Read,
    /// Submit and cancel executions.
    Execute,
    /// Change functions and dead letters.
    Manage,
}

impl Scope {
    /// Every scope there is.
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Execute, Self::Manage];

    /// As settings and headers name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Execute => "execute",
            Self::Manage => "manage",
        }
    }
}

/// What is known of a token.
pub(crate) struct Token {
    /// Tells tokens apart in messages about settings.
    pub(super) name: String,
    pub(super) sha256: [u8; 32],
    pub(super) scopes: BTreeSet<Scope>,
    /// Those that it may be used for, where not for all.
    pub(super) functions: Option<BTreeSet<FunctionName>>,
    pub(super) rate: Option<Rate>,
    pub(super) key_pair: Option<KeyPair>,
}

/// An access key, for requests that are signed with SigV4.
pub(super) struct KeyPair {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
}

impl Token {
    /// One that may do everything.
    pub(super) fn of_all_scopes(name: &str, sha256: [u8; 32]) -> Self {
        let (name, scopes) = (name.to_owned(), Scope::ALL.into());
        Self { name, sha256, scopes, functions: None, rate: None, key_pair: None }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn per_second(&self) -> Option<u32> {
        self.rate.as_ref().map(Rate::per_second)
    }

    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The functions that it may be used for; `None` means all.
    pub(crate) fn functions(&self) -> Option<&BTreeSet<FunctionName>> {
        self.functions.as_ref()
    }

    /// Counts a request, and tells what is left; `None` where the token has no rate.
    pub(crate) fn count_request(&self) -> Option<Quota> {
        self.rate.as_ref().map(Rate::count_request)
    }
}
