//! The one place that listens for signals. Everything else is handed a [`Shutdown`].

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Two stages of stopping: `soft` asks for a drain, `hard` ends at once.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take no more work, and finish what runs.
    pub soft: CancellationToken,
    /// Stop now.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// A shutdown that SIGTERM or SIGINT begins, and a second one of them makes hard.
    ///
    /// # Errors
    /// When the signal handlers can't be installed.
    pub fn on_signals() -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::default();
        let stages = shutdown.clone();
        tokio::spawn(async move {
            for stage in [stages.soft, stages.hard] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("received a signal to stop");
                stage.cancel();
            }
        });
        Ok(shutdown)
    }
}
