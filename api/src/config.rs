//! The API's settings.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use badlambda_shared::function::account::Account;
use badlambda_shared::process::config::{API_TOKEN, ConfigError, Environment, LISTEN, SharedConfig};

use crate::tokens::Tokens;

/// Where the API listens, where nothing else is said.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Everything that the API can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the worker has to know, too.
    pub shared: SharedConfig,
    /// Where to listen.
    pub listen: SocketAddr,
    pub(crate) tokens: Tokens,
    /// Whose the functions are, for ARNs.
    pub(crate) account: Account,
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    /// Names the variable that is missing or malformed.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let listen = environment.parsed(LISTEN)?.unwrap_or(DEFAULT_LISTEN);
        let tokens = Tokens::from_environment(environment)?;
        let account = Account::from_environment(environment)?;
        let config = Self { shared: SharedConfig::from_environment(environment)?, listen, tokens, account };
        config.check_exposure(listen)?;
        Ok(config)
    }

    /// Lets requests that are signed with this key pair do everything, also where others need a token.
    pub fn allow_key_pair(&mut self, access_key_id: &str, secret_access_key: &str) {
        self.tokens.allow_key_pair(access_key_id, secret_access_key);
    }

    /// Refuses to serve whoever reaches `address`, unless that is this machine alone.
    pub(crate) fn check_exposure(&self, address: SocketAddr) -> Result<(), ConfigError> {
        if !self.tokens.is_empty() || address.ip().is_loopback() {
            return Ok(());
        }
        let meaning = "a token of at least 16 characters that requests must bear (or BADLAMBDA_TOKENS, for more \
                       than one), since BADLAMBDA_LISTEN is not a loopback address";
        Err(ConfigError::Missing { variable: API_TOKEN.name, meaning })
    }

    /// Logs every setting in force, except the tokens.
    pub(crate) fn log(&self, address: SocketAddr) {
        let shared = &self.shared;
        tracing::info!(
            %address,
            tokens = self.tokens.len(),
            queue_url = shared.queue_url,
            bucket = shared.bucket,
            prefix = shared.prefix,
            public_s3_endpoint = shared.public_s3_endpoint,
            s3_path_style = shared.s3_path_style,
            url_ttl_seconds = shared.url_ttl_seconds,
            max_input_bytes = shared.max_input_bytes,
            max_code_bytes = shared.max_code_bytes,
            account_id = self.account.id,
            "the API listens"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &[(&str, &str)]) -> Result<Config, String> {
        let required = [
            ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
            ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
            ("BADLAMBDA_BUCKET", "b"),
        ];
        let pairs = required.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = Environment::from_pairs(pairs).map_err(|error| error.to_string())?;
        Config::from_environment(&environment).map_err(|error| error.to_string())
    }

    #[test]
    fn listens_on_loopback_without_a_token() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert!(config.tokens.is_empty());
    }

    #[test]
    fn an_address_that_others_reach_needs_a_token() {
        let error = config(&[("BADLAMBDA_LISTEN", "0.0.0.0:8080")]).unwrap_err();
        assert!(error.starts_with("BADLAMBDA_API_TOKEN is not set"), "{error}");
        let token = ("BADLAMBDA_API_TOKEN", "0123456789abcdef");
        config(&[("BADLAMBDA_LISTEN", "0.0.0.0:8080"), token]).unwrap();
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert_eq!(config(&[]).unwrap().account.id, "000000000000");
        for bad in ["1234", "12345678901x", "1234567890123"] {
            let error = config(&[("BADLAMBDA_ACCOUNT_ID", bad)]).unwrap_err();
            assert!(error.starts_with("BADLAMBDA_ACCOUNT_ID is malformed"), "{error}");
        }
    }

    #[test]
    fn what_is_malformed_is_named_and_a_token_never_shown() {
        let error = config(&[("BADLAMBDA_LISTEN", "localhost")]).unwrap_err();
        assert!(error.starts_with("BADLAMBDA_LISTEN is malformed"), "{error}");
        for bad in ["secret", "secret secret secret"] {
            let error = config(&[("BADLAMBDA_API_TOKEN", bad)]).unwrap_err();
            assert!(error.starts_with("BADLAMBDA_API_TOKEN is malformed"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let kept = config(&[("BADLAMBDA_API_TOKEN", "secret-secret-secret")]).unwrap();
        assert!(!format!("{kept:?}").contains("secret-"), "{kept:?}");
        assert!(kept.tokens.find("secret-secret-secret").is_some());
        assert!(kept.tokens.find("secret-secret-secre").is_none());
    }
}
