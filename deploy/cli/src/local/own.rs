//! A system of a command's own. It runs in this process, and its data stands in a folder that goes with it, so that nothing
//! of any deployment changes.

use std::fs::{self, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context;
use badlambda_client::Client;
use badlambda_shared::process::config::{self, Environment};
use badlambda_shared::process::shutdown::Shutdown;
use badlambda_shared::process::telemetry;
use badlambda_worker::config::default_scratch;
use tempfile::TempDir;

use crate::local::progress::Progress;
use crate::local::system::{System, SystemOptions, isolation_notice};
use crate::output::Failure;

/// That something is not listed yet at the end is no error here: the list goes with the system.
const LOG: &str = "error,badlambda_worker::index=off";

/// Starts a system, does this with it, and stops it; at once where the person interrupts it. `slots` executions run at a
/// time, or else as many as a worker runs by itself.
pub async fn with_own_system<T>(
    slots: Option<usize>,
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
    let folders = Folders::make(&environment).context("could not make the folders of this run")?;
    let mut system = System::start(folders.options(slots), shutdown.clone()).await?;
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
    drop(folders);
    // Whatever failed then failed because of that.
    if interrupted {
        return Err(Failure::Interrupted("interrupted".to_owned()));
    }
    let ended = ended?;
    stopped?;
    Ok(ended)
}

/// The folders that go with the system, whatever is in them.
struct Folders {
    data: TempDir,
    /// Also a sandbox that is only half made when the system ends goes with it. A jail has its own.
    scratch: Option<TempDir>,
}

impl Folders {
    fn make(environment: &Environment) -> io::Result<Self> {
        let data = tempfile::tempdir()?;
        if environment.text(config::JAIL).is_some() {
            return Ok(Self { data, scratch: None });
        }
        let default = default_scratch();
        let parent = match environment.text(config::SCRATCH_DIR) {
            Some(folder) => Path::new(folder),
            None => default.parent().unwrap_or(Path::new("/tmp")),
        };
        fs::create_dir_all(parent)?;
        // Executions have uids of their own, and go through it.
        let mut scratch = tempfile::Builder::new();
        scratch.prefix("badlambda-run-").permissions(Permissions::from_mode(0o711));
        Ok(Self { data, scratch: Some(scratch.tempdir_in(parent)?) })
    }

    fn options(&self, slots: Option<usize>) -> SystemOptions {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let scratch = self.scratch.as_ref().map(|folder| folder.path().display().to_string());
        // Who ends this does not want to wait for what runs.
        let mut settings = vec![(config::DRAIN_SECONDS, "0".to_owned())];
        settings.extend(slots.map(|slots| (config::SLOTS, slots.to_string())));
        settings.extend(scratch.map(|folder| (config::SCRATCH_DIR, folder)));
        SystemOptions { listen: any_port, aws_listen: any_port, data: self.data.path().to_owned(), settings }
    }
}
