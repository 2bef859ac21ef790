//! What every handler shares.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::aws::queue::{Queue, SendBatcher};
use badlambda_shared::aws::store::Store;
use badlambda_shared::dead_letters::DeadLetters;
use badlambda_shared::execution::records::Records;
use badlambda_shared::function::account::Account;
use badlambda_shared::function::catalog::Catalog;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::limits;
use badlambda_shared::process::shutdown::Shutdown;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::executions::events::Watched;
use crate::executions::run_times::RunTimes;
use crate::http::admission::Admission;
use crate::http::error::ApiError;
use crate::index::Index;
use crate::maps::Maps;
use crate::readiness::Readiness;
use crate::stats::Stats;
use crate::stats::samples::Samples;
use crate::tokens::Tokens;

/// The running API.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) records: Records,
    pub(crate) catalog: Catalog,
    pub(crate) batcher: SendBatcher,
    pub(crate) index: Arc<Index>,
    pub(crate) stats: Stats,
    pub(crate) samples: Samples,
    pub(crate) run_times: RunTimes,
    pub(crate) watched: Watched,
    pub(crate) maps: Maps,
    /// How many may read results of maps.
    pub(crate) map_readers: Arc<Semaphore>,
    /// How many of those who wait may look at a record at once.
    pub(crate) looks: Semaphore,
    pub(crate) readiness: Readiness,
    pub(crate) admission: Admission,
    pub(crate) shutdown: Shutdown,
    pub(crate) tokens: Tokens,
    /// Whose the functions are, and where, for ARNs.
    pub(crate) account: Account,
    /// Only this machine reaches the API, and so any page in its browsers.
    pub(crate) on_loopback: bool,
    pub(crate) max_input_bytes: usize,
    pub(crate) max_code_bytes: usize,
    pub(crate) dead_letters: DeadLetters,
    /// One request at a time looks at them.
    pub(crate) dead_letter_turn: Arc<Mutex<()>>,
    /// What goes on to its end without its client.
    pub(crate) tasks: TaskTracker,
    pub(crate) queue: Queue,
    retention: OnceCell<Duration>,
}

/// The app, as handlers are given it.
pub(crate) type AppState = State<Arc<App>>;

impl App {
    pub(crate) fn new(config: &Config, aws: &AwsClients, address: SocketAddr, shutdown: Shutdown) -> Self {
        let queue = Queue::new(aws, &config.shared);
        let store = Store::new(aws, &config.shared);
        Self {
            catalog: Catalog::new(store.clone(), config.shared.max_code_bytes),
            batcher: SendBatcher::start(queue.clone()),
            index: Index::new(store.clone()),
            stats: Stats::new(),
            samples: Samples::default(),
            run_times: RunTimes::new(),
            watched: Watched::default(),
            maps: Maps::new(),
            map_readers: Arc::new(Semaphore::new(limits::MAP_RESULT_READERS)),
            looks: Semaphore::new(limits::LOOKS_AT_ONCE),
            readiness: Readiness::new(queue.clone(), store.clone()),
            records: Records::new(store.clone()),
            admission: Admission::new(),
            dead_letters: DeadLetters::new(&queue, &store),
            dead_letter_turn: Arc::default(),
            tasks: TaskTracker::new(),
            store,
            shutdown,
            tokens: config.tokens.clone(),
            account: Account { region: aws.region().to_owned(), ..config.account.clone() },
            on_loopback: address.ip().is_loopback(),
            max_input_bytes: usize::try_from(config.shared.max_input_bytes).unwrap_or(usize::MAX),
            max_code_bytes: usize::try_from(config.shared.max_code_bytes).unwrap_or(usize::MAX),
            queue,
            retention: OnceCell::new(),
        }
    }

    /// Fails where there is no such function. What one-shot executions run under is there, though it is none.
    pub(crate) async fn require_function(&self, function: &FunctionName) -> Result<(), ApiError> {
        if function.is_one_shot() {
            return Ok(());
        }
        Ok(self.catalog.manifest(function).await.map(drop)?)
    }

    /// How long the queue keeps a message; asked once.
    pub(crate) async fn retention(&self) -> Result<Duration, ApiError> {
        let ask = async || self.queue.limits().await.map(|limits| limits.retention);
        let retention = self.retention.get_or_try_init(ask).await;
        retention.copied().map_err(|error| ApiError::Unavailable(error.to_string()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use badlambda_shared::aws::FixedEndpoint;
    use badlambda_shared::process::config::Environment;

    use super::*;

    /// An app whose services do not answer.
    pub(crate) fn app() -> Arc<App> {
        let pairs = [
            ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
            ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
            ("BADLAMBDA_BUCKET", "b"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::from_environment(&Environment::from_pairs(pairs).unwrap()).unwrap();
        let aws = AwsClients::fixed(FixedEndpoint {
            endpoint: "http://127.0.0.1:1".to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: "secret".to_owned(),
            region: "us-east-1".to_owned(),
        });
        Arc::new(App::new(&config, &aws, config.listen, Shutdown::default()))
    }
}
