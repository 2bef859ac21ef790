//! The watchdog, which runs at all times, whether executions run or not. It looks at waiting templates, at how much
//! memory and scratch space is left, and at whether the zygotes answer.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::health::Health;
use super::reserve::{ScratchSpace, memory_is_low};
use super::sampler::MemorySampler;
use super::templates::Templates;
use super::zygotes::Zygotes;

const EVERY: Duration = Duration::from_millis(250);
/// The watchdog asks the zygotes whether they answer once in this many looks.
const ASK_EVERY: u32 = 20;
/// How long a zygote may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the watchdog looks after.
pub(super) struct WatchdogParts {
    pub(super) templates: Arc<Templates>,
    pub(super) sampler: Arc<MemorySampler>,
    pub(super) space: Arc<ScratchSpace>,
    pub(super) zygotes: Arc<Zygotes>,
    pub(super) health: Arc<Health>,
}

/// The watchdog's thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(super) fn start(parts: WatchdogParts) -> Self {
        let (stop, stopped) = channel::<()>();
        let thread = thread::spawn(move || {
            let mut looks: u32 = 0;
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                parts.look_at_templates();
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(ASK_EVERY) && parts.zygotes.answer_within(PATIENCE) {
                    parts.health.answered();
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl WatchdogParts {
    fn look_at_templates(&self) {
        self.templates.end_useless(&self.sampler);
        while (self.space.is_low() || memory_is_low()) && self.templates.end_oldest() {}
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, that has been printed already.
            let _ = thread.join();
        }
    }
}
