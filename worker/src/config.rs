//! The worker's settings, from the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use badlambda_shared::function::account::Account;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::process::config::{self, ConfigError, Environment, SharedConfig, malformed};

use crate::sandbox::{ExecutorConfig, IsolationMode, Tuning};

/// Where the admin port listens, where nothing else is said.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9090);
/// How long a zygote may take to start, with all that BADLAMBDA_PRELOAD names.
const START_PATIENCE: Duration = Duration::from_secs(60);
const MAX_SLOTS: u64 = 256;
const MAX_TEMPLATES: u64 = 512;
/// ECS gives a task at most 120 s between SIGTERM and SIGKILL; elsewhere it may be more.
const MAX_DRAIN_SECONDS: u64 = 24 * 3600;
/// The queue's own net, `maxReceiveCount`, is 10.
const MOST_ATTEMPTS: u64 = 9;
const MAX_VISIBILITY_SECONDS: u64 = 12 * 3600;
const PACKAGES_BYTES: u64 = 1 << 30;

/// What a worker needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Queue, bucket, and their limits.
    pub shared: SharedConfig,
    /// Where the admin port listens, which serves `/healthz`, `/readyz` and `/metrics`.
    pub listen: SocketAddr,
    /// Executions at once.
    pub slots: usize,
    /// How long running executions may take to end once the worker is told to stop.
    pub drain: Duration,
    /// Receives of a message without an outcome before it is given up.
    pub max_attempts: u32,
    /// The visibility timeout that the heartbeat renews.
    pub visibility: Duration,
    /// The function of messages that name none.
    pub default_function: Option<FunctionName>,
    /// Where ECS's agent answers, in a task of ECS.
    pub ecs_agent_uri: Option<String>,
    /// How executions are run and confined.
    pub sandbox: SandboxConfig,
}

/// What a worker needs to know to run code, wherever it comes from.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Below which the worker does not start.
    pub min_tier: u8,
    /// How much unpacked code is kept, in bytes.
    pub packages_bytes: u64,
    /// How executions are run and confined.
    pub executor: ExecutorConfig,
}

impl Config {
    /// Reads the settings; `programs` is the folder of the zygote's and the cleaner's program.
    ///
    /// # Errors
    /// The first variable that is missing or malformed.
    pub fn from_environment(environment: &Environment, programs: PathBuf) -> Result<Self, ConfigError> {
        let cores = cores();
        let number = |variable, default, least, most| environment.number(variable, default, least, most);
        let sandbox = SandboxConfig::from_environment(environment, programs)?;
        Ok(Self {
            shared: SharedConfig::from_environment(environment)?,
            listen: environment.parsed(config::LISTEN)?.unwrap_or(DEFAULT_LISTEN),
            slots: number(config::SLOTS, (cores * 2) as u64, 1, MAX_SLOTS)? as usize,
            drain: Duration::from_secs(number(config::DRAIN_SECONDS, 100, 0, MAX_DRAIN_SECONDS)?),
            max_attempts: number(config::MAX_ATTEMPTS, 5, 1, MOST_ATTEMPTS)? as u32,
            visibility: Duration::from_secs(number(
                config::VISIBILITY_SECONDS,
                60,
                10,
                MAX_VISIBILITY_SECONDS,
            )?),
            default_function: environment.parsed(config::DEFAULT_FUNCTION)?,
            ecs_agent_uri: environment.raw("ECS_AGENT_URI").map(str::to_owned),
            sandbox,
        })
    }
}

impl SandboxConfig {
    /// Reads the settings; `programs` is the folder of the zygote's and the cleaner's program.
    ///
    /// # Errors
    /// The first variable that is malformed.
    pub fn from_environment(environment: &Environment, programs: PathBuf) -> Result<Self, ConfigError> {
        let isolation = environment.parsed(config::ISOLATION)?.unwrap_or(IsolationMode::Required);
        let least_tier = u64::from(isolation == IsolationMode::Required);
        let jail = folder(environment, config::JAIL)?;
        let scratch = folder(environment, config::SCRATCH_DIR)?;
        let packages = folder(environment, config::PACKAGES_DIR)?;
        let executor = ExecutorConfig {
            isolation,
            network: environment.flag(config::ALLOW_NETWORK, false)?,
            account: Account::from_environment(environment)?,
            // Executions can only reach what is inside.
            scratch: scratch
                .unwrap_or_else(|| jail.as_ref().map_or_else(default_scratch, |jail| jail.join("scratch"))),
            packages: packages
                .unwrap_or_else(|| jail.as_ref().map_or_else(default_packages, |jail| jail.join("packages"))),
            jail,
            zygotes: cores(),
            templates: environment.number(config::TEMPLATES, 16, 1, MAX_TEMPLATES)? as usize,
            preload: libraries(environment)?,
            programs,
            tuning: Tuning::default(),
            start_patience: START_PATIENCE,
        };
        let min_tier = environment.number(config::MIN_TIER, least_tier, 0, 2)? as u8;
        let most = environment.number(config::PACKAGES_BYTES, PACKAGES_BYTES, 0, u64::MAX)?;
        Ok(Self { min_tier, packages_bytes: most, executor })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// On tmpfs, which is ten times cheaper than a disk, and apart from other users'.
pub fn default_scratch() -> PathBuf {
    let folder = format!("badlambda-{}", nix::unistd::geteuid());
    ["/dev/shm", "/tmp"]
        .map(PathBuf::from)
        .into_iter()
        .find(|parent| parent.is_dir())
        .unwrap_or_default()
        .join(folder)
}

/// On a disk, since programs and C extensions can't be run from most tmpfs mounts.
pub fn default_packages() -> PathBuf {
    PathBuf::from(format!("/tmp/badlambda-{}-packages", nix::unistd::geteuid()))
}

fn folder(environment: &Environment, variable: config::Variable) -> Result<Option<PathBuf>, ConfigError> {
    match environment.text(variable) {
        Some(path) if !path.starts_with('/') => {
            Err(malformed(variable, path, "it must be an absolute path".to_owned()))
        }
        other => Ok(other.map(PathBuf::from)),
    }
}

fn libraries(environment: &Environment) -> Result<Vec<String>, ConfigError> {
    let text = environment.text(config::PRELOAD).unwrap_or_default();
    let names: Vec<String> =
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let plain = |name: &String| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.".contains(c)) && !name.contains("..")
    };
    if names.iter().all(plain) {
        return Ok(names);
    }
    Err(malformed(config::PRELOAD, text, "it must be names of libraries, separated by commas".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let required = [
            ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
            ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
            ("BADLAMBDA_BUCKET", "b"),
        ];
        let all = required.iter().chain(pairs).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::from_environment(&Environment::from_pairs(all)?, PathBuf::from("/programs"))
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9090");
        assert_eq!((config.drain.as_secs(), config.max_attempts, config.visibility.as_secs()), (100, 5, 60));
        assert_eq!((config.sandbox.min_tier, config.sandbox.executor.network), (1, false));
        assert_eq!(config.sandbox.executor.isolation, IsolationMode::Required);
    }

    #[test]
    fn every_malformed_value_is_named() {
        for (name, value) in [
            ("BADLAMBDA_SLOTS", "0"),
            ("BADLAMBDA_TEMPLATES", "none"),
            ("BADLAMBDA_DRAIN_SECONDS", "-1"),
            ("BADLAMBDA_MAX_ATTEMPTS", "10"),
            ("BADLAMBDA_VISIBILITY_SECONDS", "5"),
            ("BADLAMBDA_DEFAULT_FUNCTION", "../x"),
            ("BADLAMBDA_ISOLATION", "some"),
            ("BADLAMBDA_MIN_TIER", "4"),
            ("BADLAMBDA_ALLOW_NETWORK", "yes"),
            ("BADLAMBDA_LISTEN", "9090"),
            ("BADLAMBDA_JAIL", "jail"),
            ("BADLAMBDA_SCRATCH_DIR", "scratch"),
            ("BADLAMBDA_PACKAGES_DIR", "packages"),
            ("BADLAMBDA_PACKAGES_BYTES", "much"),
            ("BADLAMBDA_ACCOUNT_ID", "42"),
            ("BADLAMBDA_PRELOAD", "json;evil"),
            ("BADLAMBDA_QUEUE_URL", "queue"),
            ("BADLAMBDA_URL_TTL_SECONDS", "0"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn without_root_no_tier_is_asked_for() {
        assert_eq!(read(&[("BADLAMBDA_ISOLATION", "unprivileged")]).unwrap().sandbox.min_tier, 0);
    }
}
