//! The whole system in this process: the embedded SQS and S3, one api, one worker. All code is that of production;
//! only the endpoints and the credentials are other ones.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use badlambda_local::{LocalAws, LocalAwsConfig};
use badlambda_shared::aws::{AwsClients, FixedEndpoint};
use badlambda_shared::process::config::{self, Environment, Variable};
use badlambda_shared::process::shutdown::Shutdown;
use badlambda_worker::sandbox::IsolationMode;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How to start a system.
pub struct SystemOptions {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where SQS and S3 listen.
    pub aws_listen: SocketAddr,
    /// The folder for everything that lasts.
    pub data: PathBuf,
    /// Settings of this command's own, before those of the environment.
    pub settings: Vec<(Variable, String)>,
}

/// A running system.
pub struct System {
    /// The embedded SQS and S3.
    pub aws: LocalAws,
    /// Where the API listens.
    pub api: SocketAddr,
    services: JoinSet<anyhow::Result<()>>,
    shutdown: Shutdown,
}

/// The addresses that scripts need, printed as one line of JSON.
#[derive(Debug, Serialize)]
pub struct Addresses {
    /// The API's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// SQS's and S3's URL.
    pub aws: String,
    /// The queue's URL.
    pub queue_url: String,
    /// The dead-letter queue's URL.
    pub dead_letter_queue_url: String,
    /// The bucket's name.
    pub bucket: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The region.
    pub region: String,
}

impl Addresses {
    /// Of the embedded servers, and of the API where there is one.
    pub fn of(aws: &LocalAws, api: Option<SocketAddr>) -> Self {
        Self {
            api: api.map(|address| format!("http://{address}")),
            aws: format!("http://{}", aws.address),
            queue_url: aws.queue_url.clone(),
            dead_letter_queue_url: aws.dead_letter_queue_url.clone(),
            bucket: aws.bucket.clone(),
            access_key_id: aws.access_key_id.clone(),
            secret_access_key: aws.secret_access_key.clone(),
            region: aws.region.clone(),
        }
    }
}

impl System {
    /// Starts everything; the worker may still be warming up when this returns.
    pub async fn start(options: SystemOptions, shutdown: Shutdown) -> anyhow::Result<Self> {
        let aws = badlambda_local::start(LocalAwsConfig::new(options.aws_listen, options.data))
            .await
            .context("the embedded SQS and S3 can't start")?;
        let listener = TcpListener::bind(options.listen).await.with_context(|| {
            format!("could not listen on {}; choose another address with --listen", options.listen)
        })?;
        let api = listener.local_addr()?;

        let clients = AwsClients::fixed(FixedEndpoint {
            endpoint: format!("http://{}", aws.address),
            access_key_id: aws.access_key_id.clone(),
            secret_access_key: aws.secret_access_key.clone(),
            region: aws.region.clone(),
        });
        let environment = environment(&aws, options.settings)?;
        let worker = badlambda_worker::config::Config::from_environment(&environment, programs()?)?;
        let mut api_config = badlambda_api::Config::from_environment(&environment)?;
        // What is printed works for SQS, S3 and AWS Lambda's wire API.
        api_config.allow_key_pair(&aws.access_key_id, &aws.secret_access_key);

        let mut services = JoinSet::new();
        services.spawn(badlambda_api::run(api_config, clients.clone(), listener, shutdown.clone()));
        services.spawn(badlambda_worker::run(worker, clients, None, shutdown.clone()));
        Ok(Self { aws, api, services, shutdown })
    }

    /// Serves until the shutdown, or until a part of it fails.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.services.join_next().await {
            ended??;
            anyhow::ensure!(self.shutdown.soft.is_cancelled(), "a part of the system ended by itself");
        }
        Ok(())
    }

    /// Drains and stops everything.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.soft.cancel();
        let ended = self.ended().await;
        self.aws.shutdown().await;
        ended
    }
}

/// The process's own settings, with those of the embedded servers in place of AWS's.
fn environment(aws: &LocalAws, settings: Vec<(Variable, String)>) -> anyhow::Result<Environment> {
    let mut own = vec![
        (config::QUEUE_URL.name, aws.queue_url.clone()),
        (config::DEAD_LETTER_QUEUE_URL.name, aws.dead_letter_queue_url.clone()),
        (config::BUCKET.name, aws.bucket.clone()),
        (config::S3_PATH_STYLE.name, "true".to_owned()),
        // Both are this command's own to choose.
        (config::LISTEN.name, String::new()),
        (config::PUBLIC_S3_ENDPOINT.name, String::new()),
    ];
    own.extend(settings.into_iter().map(|(variable, value)| (variable.name, value)));
    let environment = here(Environment::from_process()?);
    Ok(environment.overridden(own.into_iter().map(|(name, value)| (name.to_owned(), value))))
}

/// The same settings, with the isolation that is possible here, where none is asked for.
pub fn here(environment: Environment) -> Environment {
    if environment.text(config::ISOLATION).is_some() || nix::unistd::geteuid().is_root() {
        return environment;
    }
    environment.overridden([(config::ISOLATION.name.to_owned(), "unprivileged".to_owned())])
}

/// The folder of the programs that a worker starts: this one's.
pub fn programs() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("where is this program?")?;
    Ok(program.parent().context("this program lies in no folder")?.to_owned())
}

/// The isolation that this process will use, and what to say of it where it is not the full one.
pub fn isolation_notice() -> anyhow::Result<Option<&'static str>> {
    let asked = Environment::from_process()?.parsed::<IsolationMode>(config::ISOLATION)?;
    let root = nix::unistd::geteuid().is_root();
    Ok(match asked {
        Some(IsolationMode::Required) => None,
        None if root => None,
        Some(IsolationMode::None) => Some("isolation is off: functions run with all your rights"),
        Some(IsolationMode::Unprivileged) | None => {
            Some("without root, isolation is `unprivileged`: functions get no uids of their own")
        }
    })
}
