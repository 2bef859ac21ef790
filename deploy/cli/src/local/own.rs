//! A system of a command's own. It runs in this process, and its data stands in a folder that goes with it, so that nothing
//! of any deployment changes.

use anyhow::Context;
use badlambda_client::Client;
use badlambda_shared::config::{self, Environment};
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;

use crate::local::progress::Progress;
use crate::local::system::{System, SystemOptions, isolation_notice};
use crate::output::Failure;

/// That something is not listed yet at the end is no error here: the list goes with the system.
const LOG: &str = "error,badlambda_worker::index=off";

/// Starts a system, does this with it, and stops it; at once where the person interrupts it. `slots` executions run at a
/// time.
pub async fn with_own_system<T>(
    slots: usize,
    progress: &Progress,
    work: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let environment = Environment::from_process().map_err(anyhow::Error::from)?;
    let _telemetry = telemetry::init(&environment, "badlambda", LOG).map_err(anyhow::Error::from)?;
    // From here on an interrupt is waited for, so that it leaves nothing behind.
    let shutdown = Shutdown::on_signals().context("could not wait for signals")?;
    if let Some(notice) = isolation_notice()? {
        progress.note(notice);
    }
    progress.say("starting the system");
    let data = tempfile::tempdir().context("could not make a folder for this run")?;
    let any_port = "127.0.0.1:0".parse().context("no address")?;
    // Who ends this does not want to wait for what runs.
    let settings = vec![(config::SLOTS, slots.to_string()), (config::DRAIN_SECONDS, "0".to_owned())];
    let options =
        SystemOptions { listen: any_port, aws_listen: any_port, data: data.path().to_owned(), settings };
    let mut system = System::start(options, shutdown.clone()).await?;
    let address = format!("http://{}", system.api).parse().map_err(anyhow::Error::from)?;
    let client = Client::new(address, None)?;
    let ended = tokio::select! {
        ended = work(&client) => ended,
        failed = system.ended() => Err(failed.err().unwrap_or_else(|| anyhow::anyhow!("the system ended")).into()),
    };
    let interrupted = shutdown.soft.is_cancelled();
    progress.end();
    // Nothing else is under way that would have to come to its end.
    shutdown.hard.cancel();
    let stopped = system.stop().await;
    // Whatever failed then failed because of that.
    if interrupted {
        return Err(Failure::Interrupted("interrupted".to_owned()));
    }
    let ended = ended?;
    stopped?;
    Ok(ended)
}
