//! Settings from the environment, read in one place and strictly: what is malformed or unknown refuses to start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use crate::limits;

/// What the names of all our variables begin with.
const NAMES_BEGIN_WITH: &str = "BADLAMBDA_";

/// A setting that keeps a binary from starting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A required variable is absent.
    #[error("{variable} is not set; it is required: {meaning}")]
    Missing {
        /// The variable's name.
        variable: &'static str,
        /// What it is for.
        meaning: &'static str,
    },
    /// A variable holds what it must not.
    #[error("{variable} is malformed: {reason}")]
    Malformed {
        /// The variable's name.
        variable: &'static str,
        /// What it should be.
        reason: String,
    },
    /// A variable that looks like ours is none of ours.
    #[error("{variable} is not a setting of Bad Lambda; see the table in deploy/configuration.md")]
    Unknown {
        /// The variable's name.
        variable: String,
    },
    /// A variable's name or value is no text.
    #[error("{variable} is not valid UTF-8")]
    NotUtf8 {
        /// The variable's name, as far as it can be read.
        variable: String,
    },
}

/// One `BADLAMBDA_*` variable, as the table in deploy/configuration.md shows it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Which binaries read it.
    pub of: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

macro_rules! variables {
    ($($constant:ident: $of:literal, $meaning:literal, $default:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: Variable = Variable {
                name: concat!("BADLAMBDA_", stringify!($constant)),
                of: $of,
                meaning: $meaning,
                default: $default,
            };
        )*
        /// Every variable there is.
        pub const VARIABLES: &[Variable] = &[$($constant),*];
    };
}

variables! {
    QUEUE_URL: "api, worker", "URL of the SQS queue", "required";
    DEAD_LETTER_QUEUE_URL: "api, worker", "URL of the dead-letter queue", "required";
    BUCKET: "api, worker", "S3 bucket of functions and executions", "required";
    PREFIX: "api, worker", "common prefix of all keys in the bucket", "empty";
    PUBLIC_S3_ENDPOINT: "api, worker", "S3 endpoint to put into presigned URLs, where clients reach S3 by another name", "none";
    S3_PATH_STYLE: "api, worker", "address the bucket in the URL's path: `true` or `false`", "`true` where an S3 endpoint is set";
    URL_TTL_SECONDS: "api, worker", "how long presigned URLs work, in seconds, up to 604800", "86400";
    MAX_INPUT_BYTES: "api, worker", "largest input, in bytes", "6291456";
    MAX_CODE_BYTES: "api, worker", "largest Ruby file of a function, in bytes; a zip may have 50 MiB", "1048576";
    LOG: "api, worker", "filter of the log, in the syntax of the `tracing` crates", "`info`";
    ACCOUNT_ID: "api, worker", "12 digits, which stand for the AWS account in ARNs of functions", "000000000000";
    LISTEN: "api, worker", "address and port: of the API; of the worker's admin port", "`127.0.0.1:8080`; `127.0.0.1:9090`";
    API_TOKEN: "api", "token with all scopes, at least 16 characters; this or another token is required unless the API listens on loopback", "none";
    TOKENS: "api", "more tokens, each with its rights: a JSON array, [as below](#tokens)", "none";
    TOKENS_FILE: "api", "file that holds what could stand in `BADLAMBDA_TOKENS`", "none";
    SLOTS: "worker", "executions at once, up to 256", "cores × 2";
    TEMPLATES: "worker", "handler-form versions kept loaded, least recently used ended first", "16";
    DRAIN_SECONDS: "worker", "how long running executions may take to end after SIGTERM, in seconds", "100";
    MAX_ATTEMPTS: "worker", "receives of a message without an outcome before the worker gives it up, up to 9", "5";
    VISIBILITY_SECONDS: "worker", "visibility timeout that the heartbeat renews, 10 to 43200 seconds", "60";
    DEFAULT_FUNCTION: "worker", "function of messages that name none, for queues whose producers can set no attribute", "none";
    ISOLATION: "worker", "`required`, or `unprivileged` (no own uids, for a machine without root), or `none`", "`required`";
    MIN_TIER: "worker", "isolation tier below which the worker refuses to start, 0 to 2", "1";
    ALLOW_NETWORK: "worker", "whether functions with `network: true` may run", "`false`";
    JAIL: "worker", "folder to chroot into: a root with Ruby and its libraries", "none";
    SCRATCH_DIR: "worker", "folder for the executions' scratch folders, best on tmpfs; inside the jail, if there is one", "`/dev/shm/badlambda-UID`; `scratch` in the jail";
    PACKAGES_DIR: "worker", "folder in which code from zips is unpacked, on a file system that programs may be run from; inside the jail, if there is one", "`/tmp/badlambda-UID-packages`; `packages` in the jail";
    PACKAGES_BYTES: "worker", "how much unpacked code is kept, in bytes, least recently used removed first", "1073741824";
    PRELOAD: "worker", "libraries that are loaded before any function, separated by commas", "none";
    URL: "command", "URL of the API that the command `badlambda` asks", "that of the `up` that runs in its folder";
    TOKEN: "command", "token that the command shows to the API", "that of the profile, if there is one";
    PROFILE: "command", "profile of the command's config file that has URL and token", "none";
}

/// A set of environment variables.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
}

impl Environment {
    /// The process's environment; refuses `BADLAMBDA_*` variables that are not ours, so that a typo is seen.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    pub fn from_process() -> Result<Self, ConfigError> {
        Self::from_os_pairs(std::env::vars_os())
    }

    /// The same of these pairs. Variables of others that are not UTF-8 are none of ours.
    fn from_os_pairs(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let mut values = vec![];
        for (name, value) in pairs {
            let shown = name.to_string_lossy().into_owned();
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => values.push((name, value)),
                _ if shown.starts_with(NAMES_BEGIN_WITH) => {
                    return Err(ConfigError::NotUtf8 { variable: shown });
                }
                _ => {}
            }
        }
        Self::from_pairs(values)
    }

    /// An environment made of these pairs.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let values: BTreeMap<_, _> = pairs.into_iter().collect();
        let unknown = values.keys().find(|name| {
            name.starts_with(NAMES_BEGIN_WITH) && !VARIABLES.iter().any(|known| known.name == *name)
        });
        match unknown {
            Some(variable) => Err(ConfigError::Unknown { variable: variable.clone() }),
            None => Ok(Self { values }),
        }
    }

    /// The same environment with these variables in place of its own.
    pub fn overridden(mut self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        self.values.extend(pairs);
        self
    }

    /// The value of `variable`, if it is set and not empty.
    pub fn text(&self, variable: Variable) -> Option<&str> {
        self.raw(variable.name)
    }

    /// The value of a variable that is not ours.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of `variable`, which must be set.
    pub fn required(&self, variable: Variable) -> Result<String, ConfigError> {
        self.text(variable)
            .map(str::to_owned)
            .ok_or(ConfigError::Missing { variable: variable.name, meaning: variable.meaning })
    }

    /// The value of `variable`, parsed, if it is set.
    pub fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &self,
        variable: Variable,
    ) -> Result<Option<T>, ConfigError> {
        self.text(variable)
            .map(|text| text.trim().parse().map_err(|error| malformed(variable, text, format!("{error}"))))
            .transpose()
    }

    /// A whole number from `least` to `most`, or `default`.
    pub fn number(
        &self,
        variable: Variable,
        default: u64,
        least: u64,
        most: u64,
    ) -> Result<u64, ConfigError> {
        let value = self.parsed(variable)?.unwrap_or(default);
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        let reason = format!("it must be a whole number from {least} to {most}");
        Err(malformed(variable, &value.to_string(), reason))
    }

    /// `true` or `false`, or `default`.
    pub fn flag(&self, variable: Variable, default: bool) -> Result<bool, ConfigError> {
        match self.text(variable) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => Err(malformed(variable, other, "it must be true or false".to_owned())),
        }
    }

    /// The value of `variable`, which must be an http or https URL.
    pub fn url(&self, variable: Variable) -> Result<Option<String>, ConfigError> {
        match self.text(variable) {
            Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
                Err(malformed(variable, url, "it must begin with http:// or https://".to_owned()))
            }
            other => Ok(other.map(str::to_owned)),
        }
    }
}

/// Shows which are set. Their values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// The error for `variable`, which holds `value`.
pub fn malformed(variable: Variable, value: &str, reason: String) -> ConfigError {
    ConfigError::Malformed { variable: variable.name, reason: format!("{value:?}: {reason}") }
}

/// What api and worker must know in common.
#[derive(Clone, Debug)]
pub struct SharedConfig {
    /// The queue's URL.
    pub queue_url: String,
    /// The dead-letter queue's URL.
    pub dead_letter_queue_url: String,
    /// The bucket's name.
    pub bucket: String,
    /// A common prefix of all keys.
    pub prefix: String,
    /// The endpoint to put into presigned URLs, where it is another than the SDK's.
    pub public_s3_endpoint: Option<String>,
    /// Whether the bucket stands in a URL's path.
    pub s3_path_style: bool,
    /// How long presigned URLs work, in seconds.
    pub url_ttl_seconds: u64,
    /// The largest input, in bytes.
    pub max_input_bytes: u64,
    /// The largest code, in bytes.
    pub max_code_bytes: u64,
}

const WEEK_SECONDS: u64 = 7 * 24 * 3600;
const MIB: u64 = 1024 * 1024;

impl SharedConfig {
    /// Reads the common settings.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let custom_endpoint =
            ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().any(|name| environment.raw(name).is_some());
        environment.url(QUEUE_URL)?;
        environment.url(DEAD_LETTER_QUEUE_URL)?;
        Ok(Self {
            queue_url: environment.required(QUEUE_URL)?,
            dead_letter_queue_url: environment.required(DEAD_LETTER_QUEUE_URL)?,
            bucket: environment.required(BUCKET)?,
            prefix: environment.text(PREFIX).unwrap_or_default().to_owned(),
            public_s3_endpoint: environment.url(PUBLIC_S3_ENDPOINT)?,
            s3_path_style: environment.flag(S3_PATH_STYLE, custom_endpoint)?,
            url_ttl_seconds: environment.number(URL_TTL_SECONDS, 86_400, 1, WEEK_SECONDS)?,
            max_input_bytes: environment.number(
                MAX_INPUT_BYTES,
                6 * MIB,
                1,
                limits::MAX_INPUT_BYTES_CEILING,
            )?,
            max_code_bytes: environment.number(MAX_CODE_BYTES, MIB, 1, 16 * MIB)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Environment, ConfigError> {
        Environment::from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_is_ours() {
        use std::os::unix::ffi::OsStringExt;
        let bad = || OsString::from_vec(vec![b'a', 0xff]);
        let error = Environment::from_os_pairs([("BADLAMBDA_SLOTS".into(), bad())]).unwrap_err();
        assert_eq!(error.to_string(), "BADLAMBDA_SLOTS is not valid UTF-8");
        assert!(Environment::from_os_pairs([("OTHER".into(), bad()), (bad(), "x".into())]).is_ok());
    }

    #[test]
    fn a_typo_is_named() {
        let error = environment(&[("BADLAMBDA_SLOT", "4")]).unwrap_err();
        assert!(error.to_string().starts_with("BADLAMBDA_SLOT is not a setting"), "{error}");
    }

    #[test]
    fn what_is_malformed_or_missing_is_named() {
        let set = environment(&[("BADLAMBDA_SLOTS", "many"), ("BADLAMBDA_MIN_TIER", "9")]).unwrap();
        let error = set.number(SLOTS, 4, 1, 256).unwrap_err().to_string();
        assert!(error.starts_with("BADLAMBDA_SLOTS is malformed: \"many\""), "{error}");
        let error = set.number(MIN_TIER, 1, 0, 2).unwrap_err().to_string();
        assert!(error.contains("BADLAMBDA_MIN_TIER") && error.contains("from 0 to 2"), "{error}");
        let error = SharedConfig::from_environment(&set).unwrap_err().to_string();
        assert!(error.starts_with("BADLAMBDA_QUEUE_URL is not set"), "{error}");
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let set = environment(&[("BADLAMBDA_SLOTS", "")]).unwrap();
        assert_eq!(set.number(SLOTS, 4, 1, 256), Ok(4));
    }

    #[test]
    fn paths_carry_the_bucket_where_an_endpoint_is_set() {
        let mut pairs = vec![
            ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
            ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
            ("BADLAMBDA_BUCKET", "b"),
        ];
        let on_aws = SharedConfig::from_environment(&environment(&pairs).unwrap()).unwrap();
        assert!(!on_aws.s3_path_style);
        pairs.push(("AWS_ENDPOINT_URL", "http://127.0.0.1:1"));
        let local = SharedConfig::from_environment(&environment(&pairs).unwrap()).unwrap();
        assert!(local.s3_path_style);
    }
}
