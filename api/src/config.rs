//! The API's settings.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use badlambda_shared::config::{API_TOKEN, ConfigError, Environment, LISTEN, SharedConfig, malformed};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Where the API listens, where nothing else is said.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const LEAST_TOKEN_CHARS: usize = 16;

/// Everything that the API can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the worker has to know, too.
    pub shared: SharedConfig,
    /// Where to listen.
    pub listen: SocketAddr,
    token: Option<Token>,
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    /// Names the variable that is missing or malformed.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let listen = environment.parsed(LISTEN)?.unwrap_or(DEFAULT_LISTEN);
        let token = environment.text(API_TOKEN).map(Token::new).transpose()?;
        let config = Self { shared: SharedConfig::from_environment(environment)?, listen, token };
        config.check_exposure(listen)?;
        Ok(config)
    }

    /// Refuses to serve whoever reaches `address`, unless that is this machine alone.
    pub(crate) fn check_exposure(&self, address: SocketAddr) -> Result<(), ConfigError> {
        if self.token.is_some() || address.ip().is_loopback() {
            return Ok(());
        }
        let meaning = "a token of at least 16 characters that requests must bear, since BADLAMBDA_LISTEN is not \
                       a loopback address";
        Err(ConfigError::Missing { variable: API_TOKEN.name, meaning })
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Logs every setting in force, except the token.
    pub(crate) fn log(&self, address: SocketAddr) {
        let shared = &self.shared;
        tracing::info!(
            %address,
            token_required = self.token.is_some(),
            queue_url = shared.queue_url,
            bucket = shared.bucket,
            prefix = shared.prefix,
            public_s3_endpoint = shared.public_s3_endpoint,
            s3_path_style = shared.s3_path_style,
            url_ttl_seconds = shared.url_ttl_seconds,
            max_input_bytes = shared.max_input_bytes,
            max_code_bytes = shared.max_code_bytes,
            "the API listens"
        );
    }
}

/// The token that requests must bear: kept as its digest, so that it can't be printed, and compared in a time
/// that depends on neither its length nor its content.
#[derive(Clone)]
pub(crate) struct Token([u8; 32]);

impl Token {
    fn new(text: &str) -> Result<Self, ConfigError> {
        if text.chars().count() < LEAST_TOKEN_CHARS {
            let reason = format!("it must have at least {LEAST_TOKEN_CHARS} characters");
            return Err(malformed(API_TOKEN, "…", reason));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "it must be visible ASCII characters without spaces".to_owned();
            return Err(malformed(API_TOKEN, "…", reason));
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    pub(crate) fn is(&self, presented: &str) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        self.0.ct_eq(&presented).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
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
        assert!(config.token().is_none());
    }

    #[test]
    fn an_address_that_others_reach_needs_a_token() {
        let error = config(&[("BADLAMBDA_LISTEN", "0.0.0.0:8080")]).unwrap_err();
        assert!(error.starts_with("BADLAMBDA_API_TOKEN is not set"), "{error}");
        let token = ("BADLAMBDA_API_TOKEN", "0123456789abcdef");
        config(&[("BADLAMBDA_LISTEN", "0.0.0.0:8080"), token]).unwrap();
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
        assert!(kept.token().unwrap().is("secret-secret-secret"));
        assert!(!kept.token().unwrap().is("secret-secret-secre"));
    }
}
